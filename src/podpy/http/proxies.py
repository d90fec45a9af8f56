"""The proxy for an address: $HTTPS_PROXY, $HTTP_PROXY, $NO_PROXY by Go's rules (net/http/httpproxy).

Not `urllib.request`: it imports a tenth of the standard library.
"""

from __future__ import annotations

import os


def proxy_for(scheme: str, netloc: str) -> str:
    """Return the proxy's address for `scheme://netloc`; empty: no proxy."""
    host = netloc.rpartition("@")[2]
    name, _, _ = host.partition("]") if host.startswith("[") else host.partition(":")
    name = name.lstrip("[").lower()
    if name in ("localhost", "::1") or name.startswith("127."):
        return ""
    proxy = _variable(f"{scheme}_proxy")
    if not proxy or any(_matches(entry.strip().lower(), name, host) for entry in _variable("no_proxy").split(",")):
        return ""
    if proxy.startswith("socks5://"):  # in Go this proxy resolves the host's name; libcurl calls that socks5h
        return proxy.replace("socks5", "socks5h", 1)
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(name: str) -> str:
    # In a CGI program HTTP_PROXY is the client's header "Proxy" (CVE-2016-5385).
    if name == "http_proxy" and os.environ.get("REQUEST_METHOD"):
        return os.environ.get(name, "")
    return os.environ.get(name.upper()) or os.environ.get(name, "")


def _matches(entry: str, name: str, host: str) -> bool:
    if not entry:
        return False
    if entry == "*" or entry in (name, host):
        return True
    if "/" in entry:
        return _in_network(entry, name)
    bare = entry.removeprefix("*").removeprefix(".")
    return name.endswith("." + bare) or (name == bare and not entry.startswith("."))


def _in_network(entry: str, name: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(name) in ip_network(entry, strict=False)
    except ValueError:
        return False
