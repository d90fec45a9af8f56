"""References, OCI and Docker schemas, archives, registries: how images come in and go out."""
