"""Looks things up, and creates things, in the mounted root filesystem of a container.

    users.lookup(rootfs, user, groups) -> UserIds      names must be in the container's own passwd file
    accounts.prepare(spec, rootfs, user) -> Added      passwd and group lines for users that the image doesn't know
    workdir.prepare(spec, rootfs, user, name)          created if the image names it, refused if only `-w` does
    exposure.expose(config, in_use)                    for a user namespace in which podpy's user has no id
    shm.borrow(namespace, target)                      /dev/shm of the container whose IPC namespace is joined

All paths are opened beneath the root (podpy.beneath): an image's links can't lead out of it.
"""
