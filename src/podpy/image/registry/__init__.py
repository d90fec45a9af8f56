"""Registries: connections, credentials, reading, writing, searching."""
