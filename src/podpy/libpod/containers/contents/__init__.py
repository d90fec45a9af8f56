"""What is in a container: copied out and in, written as an archive, made an image.

View (view.py)        a container's root file system, by descriptor, whether the container runs or not
export.py             `podpy export`: a tar of it
commit.py             `podpy commit`: its own layer becomes an image's (pausing.py, committed_config.py)
copy.py               `podpy cp` (places.py: what a path means on either side)

All need the user's namespaces. What they read may change meanwhile: it is opened by descriptors, and packed and
unpacked by children that are locked into it (podpy.storage.layers.pack, unpack).
"""
