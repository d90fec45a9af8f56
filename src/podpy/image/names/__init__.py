"""References, short names, transports: from what was typed to an image."""
