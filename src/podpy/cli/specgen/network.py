"""`--network`, `-p`, `--expose`, `--dns`, `--add-host`: kept as texts that podpy.network reads (podman-run(1))."""

from __future__ import annotations

import os

from podpy.errors import UsageError
from podpy.spec.container import AS_CONFIGURED
from podpy.spec.text.network import check_host, check_name_servers, check_searches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.cli.parser.options import Options


def network(options: Options) -> dict[str, Any]:
    """Return the spec's network fields. Raises UsageError."""
    if options.no_hosts and options.add_host:
        raise UsageError("--no-hosts and --add-host cannot be set together")
    hosts_file = options.hosts_file
    if hosts_file and hosts_file not in ("image", "none"):
        hosts_file = os.path.abspath(hosts_file)
    return {
        **_networks(options),
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


def _networks(options: Options) -> dict[str, Any]:
    given = options.network
    has_own = options.ip or options.ip6 or options.mac_address or options.network_alias
    if not has_own and (not given or (len(given) == 1 and given[0] in ("none", "host", "pasta", "private"))):
        return {"network": given[0] if given else AS_CONFIGURED}
    from podpy.spec.text.attachments import parse_networks, with_own

    mode, networks = parse_networks(given) if given else (AS_CONFIGURED, [])
    if has_own:
        own = {"ip": options.ip or "", "ip6": options.ip6 or "", "mac": options.mac_address or ""}
        networks = with_own(mode or "", networks, **own, aliases=options.network_alias)
    return {"network": mode, "networks": networks}


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
