"""Paths and configuration files: containers.conf, registries.conf, storage.conf, policy.json, auth.json."""
