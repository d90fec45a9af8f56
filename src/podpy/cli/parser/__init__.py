"""From words to options: the compiled table, its parser, Typer, completion.

    compile.write(path)             writes cli/_table.py and cli/_help.py from the declarations, when podpy is built
    tables, parse                   the everyday path: argv and the table in, Options out; UsageError in Podman's words
    rules                           which of --all, --latest, --cidfile, --filter and names exclude each other
    typer_app                       a second parser made from the declarations by Typer; tests compare both
    completion.complete(words)      completions of a command line; `podpy __complete` prints them

If the table is missing or older than the declarations, the declarations are read: some milliseconds slower.
"""
