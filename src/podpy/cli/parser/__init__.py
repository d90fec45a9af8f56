"""From words to options: the compiled table, its parser, Typer, completion."""
