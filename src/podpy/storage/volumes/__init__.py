"""Volumes: directories that outlive their containers.

volume      one of them
table       their rows and directories: made, found, renamed, removed
driver      what `volume create --opt` says (driver local): pure
first_use   what an empty volume gets from the image of the container that first has it
incoming    an archive's files come in
mounting    volumes with options are mounted at their directory, in the mount namespace of who uses them

It takes names, labels and options as texts, and returns `Volume`s. It raises NoSuchVolumeError, InUseError, UsageError,
NotSupportedError, StorageError and OSError. What happens in a volume's directory goes by descriptors: a container may
change what is in it at the same time.
"""
