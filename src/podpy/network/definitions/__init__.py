"""Definitions of networks: netavark's JSON files, read and written, so that Podman's networks are podpy's.

    network.py    Network, Subnet, Route: one file's content
    folder.py     Folder: the directory of the files; `folder(paths, conf, …)` says which one
    cidr.py       Prefix: addresses and subnets as numbers

Raises ConfigError (a broken file), NoSuchNetworkError, AmbiguousNameError.
"""
