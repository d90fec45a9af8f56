"""Manifest lists (the OCI's image indexes) and artifacts.

    manifest_list.create, add, annotate, remove, inspect(store, paths, …)   `podpy manifest`; one transaction a change
    push.push_list(store, paths, record, destination, PushOptions) -> Pushed
    artifact.add, find, extract, pull; artifact_push.push                   `podpy artifact`
    add_artifact.add_files                                                  files as an entry of a list

The documents are image.documents.index and image.documents.artifact, the tables podpy.storage.lists and
podpy.storage.artifacts. See docs/lists-and-artifacts.md.
"""
