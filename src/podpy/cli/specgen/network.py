"""`--network`, `-p`, `--expose`, `--dns`, `--add-host`: kept as texts that podpy.network reads (podman-run(1))."""

from __future__ import annotations

import os

from podpy.errors import NotSupportedError, UsageError
from podpy.spec.container import AS_CONFIGURED
from podpy.spec.text.network import check_host, check_name_servers, check_searches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.cli.parser.options import Options


def network(options: Options) -> dict[str, Any]:
    """Return the spec's network fields. Raises UsageError, NotSupportedError."""
    if len(options.network) > 1:
        raise NotSupportedError("several networks: user-defined networks come with a later version of podpy")
    if options.no_hosts and options.add_host:
        raise UsageError("--no-hosts and --add-host cannot be set together")
    hosts_file = options.hosts_file
    if hosts_file and hosts_file not in ("image", "none"):
        hosts_file = os.path.abspath(hosts_file)
    return {
        "network": options.network[0] if options.network else AS_CONFIGURED,
        "ports": _ports(options),
        "publish_all": bool(options.publish_all),
        "expose": _exposed(options.expose),
        "dns": check_name_servers(options.dns) if options.dns else AS_CONFIGURED,
        "dns_search": check_searches(options.dns_search) or AS_CONFIGURED,
        "dns_options": list(options.dns_option) or AS_CONFIGURED,
        "add_hosts": [check_host(text) for text in options.add_host],
        "no_hosts": _no_hosts(options),
        "hosts_file": hosts_file or AS_CONFIGURED,
        "no_hostname": bool(options.no_hostname),
    }


def _no_hosts(options: Options) -> Any:
    if options.given("no_hosts"):
        return options.no_hosts
    return False if options.add_host else AS_CONFIGURED  # podman-run(1): --add-host wins over containers.conf


def _exposed(texts: Sequence[str]) -> list[str]:
    if not texts:
        return []
    from podpy.spec.text.expose import parse_expose

    return [port for text in texts for port in parse_expose(text)]


def _ports(options: Options) -> list[Any]:
    if not options.publish:
        return []
    from podpy.spec.text.ports import parse_publish

    return [port for text in options.publish for port in parse_publish(text)]
