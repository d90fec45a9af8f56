"""config.json of the OCI runtime specification, built from a ContainerSpec; nothing here touches the host."""
