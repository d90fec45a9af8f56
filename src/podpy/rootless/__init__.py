"""The user's namespaces: made by the first call of a boot, joined by the later ones."""
