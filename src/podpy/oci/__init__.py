"""The OCI runtime (crun, runc) and what it is given."""
