"""References, short names, transports: from what was typed to an image.

reference.parse(text) -> Reference                      ImageError if it can't be a name; `distribution/reference`
lookup.find_image(store, paths, text) -> ImageRecord    by name, short name, id, digest; a list's image; no network
lookup.find_named(store, paths, text) -> (record, name) the list itself if it is one; the name that it was found by
short.for_pull(text, registries) -> Resolution          the full names that a short one means (registries.conf)
transports.parse_transport(text) -> TransportReference  `oci:DIR:NAME` and the like; not registries
instance.instance(store, record, platform)              which image of a manifest list
"""
