"""References, OCI and Docker schemas, archives, registries: how images come in and go out.

    names/      what was typed → a reference, an image of the store, a transport reference
    documents/  manifests, indexes, configurations: parsed, checked, written
    registry/   one repository of one registry, read and written; connections, credentials
    archive/    docker-archive, oci-archive, OCI layouts, dir:, Podman's store
    incoming/   pull, load, import: into the store
    outgoing/   push, and the layers that save writes
    lists/      manifest lists and artifacts
    trust/      policy.json and signatures

Rules:
- Everything from outside is hostile: bounded before it is read, and an ImageError or RegistryError if it is wrong.
- Digests are checked where bytes arrive. Nothing is visible before all of an image is verified and on the disk.
- The policy is asked before anything is kept (TrustError).
- `load`, `pull`, `import`, `push`, `save` start threads: the process must be in the user's namespaces before that.
- Functions take the store and paths, options as values (image.options), and a Progress (image.progress) that may be
  silent; callbacks come from several threads. None prints.
See docs/images.md.
"""
