"""The store: database, blobs, layers, container layers and their mounts."""
