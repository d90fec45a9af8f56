"""What comes into the store: pull, load, import; received, verified, decompressed and unpacked at the same time.

    pull.pull(store, paths, name, PullOptions, progress=) -> ImageRecord
    pull.pull_from_transport(store, text, PullOptions) -> records      from an archive, a directory, Podman's store
    import_tar.import_tar(store, source, name, ImportOptions) -> ImageRecord     a path, an address or a descriptor
    assemble.assemble(store, ImageParts(manifest, config, layers), names=)            what they all end in: one commit
    pipeline.receive(store, sources)                          several at once, in threads; a child for each unpacks
    mend.verify(store), mend.bring(store, paths, chain_id)    layers that aren't what their digests say
    sources.use(store, paths, text, Access, work)             work(ImageSource): reads an image without bringing it in

A pull takes at most 100 MB of memory, but for layers with large windows (windows.py). Ctrl-C, errors and kills keep
what has arrived of each blob; the next pull goes on from there.
"""
