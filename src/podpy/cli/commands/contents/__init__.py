"""The commands about what is in a container: copying, exporting, committing, comparing."""
