"""The commands about Quadlet's files."""
