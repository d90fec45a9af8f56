"""A container's files: cp, export, commit, mount.

View (view.py)        a container's root file system as a descriptor, whether the container runs or not
export.py             `podpy export`: a tar of it
commit.py             `podpy commit`: its own layer becomes an image's (pausing.py, own_layer.py)
copy.py               `podpy cp` (places.py: the meaning of a path on either side)

All need the user's namespaces. A running container may change its files meanwhile: so they are opened by descriptors,
and packed and unpacked by children that can't leave the directory (podpy.storage.layers.pack, unpack).
"""
