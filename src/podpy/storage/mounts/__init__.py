"""Root filesystems and images, mounted.

    operations(store, container_id, image, target, MountOptions)   root.py: the steps of a root filesystem (podpy.plan)
    MakeContainerLayer, RemoveContainerLayer                       the container's own layer
    choose(store)                                                  driver.py: overlay, fuse-overlayfs or vfs, tried once
    mount, unmount, mounted(store, …)                              image_mounts.py: `podpy image mount`

The caller has unshared a mount namespace (podpy.rootless.mounts): what is mounted here goes with it.
"""
