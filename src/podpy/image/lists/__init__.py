"""Manifest lists (the OCI's image indexes) and artifacts."""
