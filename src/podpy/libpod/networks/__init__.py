"""Networks, for the command line, the library and the API.

manager       Networks, `runtime.networks`: create, list, inspect, remove, prune, update, connect, disconnect, reload
connecting    puts containers on networks and takes them off
living        what a change of a definition means where containers run
inspect       the data of `network inspect`
connecting    puts containers on networks and takes them off, also while they run
of_podman     which networks Podman's containers use

Raises NoSuchNetworkError, AmbiguousNameError, InUseError, UsageError, StateError, ConfigError, NotSupportedError.
"""
