"""The commands for pods."""
