"""Images in files and directories: docker-archive, oci-archive, OCI layouts, dir:, Podman's own store.

    read.load(store, file, progress=) -> names        a path or a descriptor; `podpy load`
    read.fetch(store, transport, progress=) -> records    `podpy pull oci:DIR:NAME`
    save.save(store, paths, names, output, SaveOptions)         `podpy save`
    write.write(store, [Outgoing(record, names)], transport)        one archive or directory; complete, or not there
    write.push_to_transport(store, record, name, transport) -> digest   `podpy push` to anything but a registry
    list_directories.open_directory(transport) -> Directory        takes a manifest list as a WritableRepository does
    podman_store.pull(store, "containers-storage:NAME")         read-only

Raises ImageError for what makes no sense, UsageError for an output that can't be written so.
"""
