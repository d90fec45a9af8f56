"""Volumes, for the command line, the library and the API.

manager     Volumes, `runtime.volumes`: create, list, inspect, mount, export, import_, remove, prune
transfer    export and import
inspect     the data of `volume inspect`

Raises NoSuchVolumeError, AmbiguousNameError, InUseError, UsageError, StorageError.
"""
