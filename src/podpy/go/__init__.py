"""Forms of Go that Podman's command line and API use: how values are written and read."""
