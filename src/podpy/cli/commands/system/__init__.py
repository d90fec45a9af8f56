"""The commands for the whole engine."""
