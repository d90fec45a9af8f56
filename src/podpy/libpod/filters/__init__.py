"""Which objects a list shows, or a prune removes: `--filter KEY=VALUE`."""
