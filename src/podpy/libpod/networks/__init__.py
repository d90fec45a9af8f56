"""Networks of containers: see podpy.libpod.networks.connecting."""
