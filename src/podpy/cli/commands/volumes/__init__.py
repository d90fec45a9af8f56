"""The commands for volumes."""
