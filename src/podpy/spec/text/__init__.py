"""Texts → values of a ContainerSpec, for the command line, Quadlet, kube and the API: one module per family."""
