"""Definitions of networks: netavark's JSON files, read and written, so that Podman's networks are podpy's.

    network.py    Network, Subnet, Route: one file's content
    folder.py     Folder: the directory of the files; `folder(paths, conf, …)` says which one
    create.py     what `network create` checks and fills in, for a Request (request.py)
    options.py    the options of the drivers (--opt)
    host.py       which subnets and interfaces the host has already
    cidr.py       Prefix: addresses and subnets as numbers

Raises UsageError, ConfigError (a broken file), NoSuchNetworkError, AmbiguousNameError, InUseError, NotSupportedError.
"""
