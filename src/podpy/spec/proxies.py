"""The variables that say which proxy to use (containers.conf(5), http_proxy)."""

from __future__ import annotations

PROXY_VARIABLES = tuple("http_proxy https_proxy ftp_proxy no_proxy HTTP_PROXY HTTPS_PROXY FTP_PROXY NO_PROXY".split())
