"""The commands for containers."""
