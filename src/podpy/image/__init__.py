"""Images: references, documents, registries, archives, pull and push.

    names/      a typed name → a reference, an image of the store, a transport reference
    documents/  manifests, indexes, configurations: parsed, checked, written
    registry/   one repository of one registry, read and written; connections, credentials
    archive/    docker-archive, oci-archive, OCI layouts, dir:, Podman's store
    incoming/   pull, load, import: into the store
    outgoing/   push, and the layers that save writes
    lists/      manifest lists and artifacts
    trust/      policy.json and signatures

Rules:
- Everything from outside is hostile: its size is limited before it is read, and wrong data is an ImageError or
  RegistryError.
- Digests are checked where bytes arrive. Nothing is visible before the whole image is verified and on the disk.
- The policy is checked before anything is stored (TrustError).
- `load`, `pull`, `import`, `push`, `save` start threads: the process must be in the user's namespaces before that.
- Functions take the store and paths, options as values (image.options), and a Progress (image.progress) that may be
  silent; callbacks come from several threads. None prints.
See docs/images.md.
"""
