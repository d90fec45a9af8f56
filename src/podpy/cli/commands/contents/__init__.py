"""The commands for a container's files: copy, export, commit, diff, mount."""
