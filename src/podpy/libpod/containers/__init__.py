"""One container: its row, its names, what inspect tells."""
