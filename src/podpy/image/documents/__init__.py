"""The documents of the OCI image specification and Docker's: manifests, indexes, configurations, digests."""
