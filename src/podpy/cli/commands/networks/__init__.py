"""The commands for networks."""
