"""The whole engine: info, disk usage, prune, repair."""
