"""Root filesystems and images, mounted.

    operations(store, container_id, image, target, MountOptions)   root.py: the steps of a root filesystem (podpy.plan)
    MakeContainerLayer, RemoveContainerLayer                       the container's own layer
    choose(store)                                                  driver.py: overlay, fuse-overlayfs or vfs, tried once
    mount, unmount, mounted(store, …)                              image_mounts.py: `podpy image mount`
    make, move, change(tree, options)                              tree.py: mounts by descriptor, with OCI's options

The caller has unshared a mount namespace (podpy.rootless.mounts): the mounts end with it.
"""
