"""Volumes: directories that outlive their containers.

volume      Volume, one volume
table       rows and directories: create, find, rename, remove
driver      parses `volume create --opt` (driver local); pure
first_use   the image's files for an empty volume, from the first container's image
incoming    imports an archive's files
mounting    mounts a volume with options at its directory, in its user's mount namespace

It takes names, labels and options as texts, and returns `Volume`s. It raises NoSuchVolumeError, InUseError, UsageError,
NotSupportedError, StorageError and OSError. Files in a volume's directory are used by descriptors only: a container may
change them at the same time.
"""
