"""Images in files and directories: docker-archive, oci-archive, OCI layouts, dir:, Podman's own store."""
