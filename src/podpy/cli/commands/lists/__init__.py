"""The commands for manifest lists and artifacts."""
