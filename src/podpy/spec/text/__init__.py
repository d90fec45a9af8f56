"""Texts → values of a ContainerSpec, for the command line, Quadlet, kube and the API: one module per family.

    environment, process, life, limits, namespaces, network, ports, expose, security, volumes, mounts, mount_options
    values        sizes (bytes), pairs, signals: each parser takes the option's name, for its error
    words         `--env-merge`

Each function takes a typed text and returns a value of podpy.spec.container, or raises a UsageError with a hint.
"""
