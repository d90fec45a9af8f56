"""conmon: how it is started, its files, the command that it runs at the end."""
