"""What is looked up and made in the mounted root filesystem of a container.

    users.lookup(rootfs, user, groups) -> UserIds      names must be in the container's own passwd file
    accounts.prepare(spec, rootfs, user) -> Added      lines for users that the image doesn't know
    workdir.prepare(spec, rootfs, user, name)          made if the image names it, refused if `-w` does
    exposure.expose(config, in_use)                    where podpy's user has no id in the container
    shm.borrow(namespace, target)                      /dev/shm of a container that is joined

All paths are opened beneath the root (podpy.beneath): an image's links lead nowhere else.
"""
