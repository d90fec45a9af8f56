"""How a container ends: stop, wait, clean-up, removal, and what repairs states."""
