"""What goes out of the store: push, and the layers that save writes.

    push.push(store, paths, name, destination, PushOptions, progress=) -> digest   to a registry or another transport
    send.send_image(store, repository, record, PushOptions, tag=) -> Pushed        one image into one repository
    layer_source.outgoing_layers(store, record) -> [OutgoingLayer]
                       .blob: as it came (None: not kept), .tar(): the uncompressed bytes, checked against the diff id
    export.render(store, record, "oci" or "docker", Compression) -> Export   manifest, configuration, layers
    export.outgoing(…)                                                          the layers one by one, for a push

Bytes go out as they came wherever a blob is kept; the configuration is never rewritten. Inside the user's namespaces.
"""
