"""ContainerSpec, the OCI runtime spec made from it, crun or runc, and the start of conmon."""
