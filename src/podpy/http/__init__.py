"""HTTP by libcurl, for registries and clusters.

    curl.Request → curl.Response   one request and its answer, read as it arrives; raises HTTPError
    curl.Lines                     keeps connections open for the next request
    trust.Trust                    trusted authorities, own certificate; tls_details: allowed versions of TLS
    proxies.proxy_for(scheme, netloc)   the environment's proxy, by Go's rules

Redirects, retries and credentials are the caller's: podpy.image.registry.http, podpy.kube.apply.cluster.
"""
