"""The documents of the OCI image specification and Docker's: manifests, indexes, configurations, digests.

    schema.parse(data, content_type) -> Manifest | Index    bounded; no schema 1; schema.select chooses a platform
    config.ImageConfig.parse(data)                          what a container takes from its image
    index.Document                                          an index that can be changed and written again
    descend.descend(data, kind, read, wanted) -> Descent    from an index to one platform's manifest, at most 4 deep
    changes.parse(instructions)                             `--change` of import and commit
    describe.inspect, history, tree                         what `image inspect` and its like show, as plain data

Pure functions of bytes. What is wrong in them is an ImageError.
"""
