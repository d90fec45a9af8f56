"""The commands for images."""
