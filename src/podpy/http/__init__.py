"""HTTP by libcurl: for registries, clusters, and whatever else speaks it.

    curl.Request → curl.Response   one request and its answer, read as it arrives; raises HTTPError
    curl.Lines                     connections that are kept for the next request
    trust.Trust                    whose certificates are trusted, and our own; tls_details: which TLS is spoken
    proxies.proxy_for(scheme, netloc)   the environment's proxy, by Go's rules

Redirects, retries and credentials are the caller's: podpy.image.registry.http, podpy.kube.apply.cluster.
"""
