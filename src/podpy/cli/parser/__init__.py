"""From words to options: the compiled table, its parser, Typer, completion.

    compile.write(path)             writes cli/_table.py and cli/_help.py from the declarations, when podpy is built
    tables, parse                   the everyday path: argv and the table in, Options out; UsageError in Podman's words
    rules                           which of --all, --latest, --cidfile, --filter and names go together
    typer_app                       the second reader of the declarations; tests compare both
    completion.complete(words)      what completes a command line; `podpy __complete` prints it

Without the table, or with one older than the declarations, the declarations are read: some milliseconds slower.
"""
