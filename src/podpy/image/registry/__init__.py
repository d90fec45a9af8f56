"""Registries: connections, credentials, reading, writing, searching.

    remote.PullSources(paths, reference, registries, Access)   mirrors, then the registry: contexts with a Repository,
                           until a block succeeds; the block calls `repository.check_policy(manifest)` first
    remote.write(…, use), remote.list_from(…, use)        use(WritableRepository), use(Listing); mirrors are for pulls
    read.Repository        manifest(tag or digest) -> (bytes, media type); blob(digest, size, offset) -> pieces, resumed
    write.WritableRepository   blob_exists, put_blob (sent, mounted or there; from several threads), put_manifest
    search.search, list_tags; login.check_login
    http.Connection         requests to one host: redirects, retries; podpy.http does each one
    access.Access, PullOptions   the options of a connection: --tls-verify, --authfile, --creds, --retry …

Credentials go to the registry's host and the token server that it names, and nowhere else. Raises RegistryError,
AuthenticationError, NotThereError, TrustError.
"""
