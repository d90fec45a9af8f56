"""`podpy network`: create, exists, inspect, rm, update, connect, disconnect, reload; the lists: network_list."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import complain
from podpy.errors import EXIT_FAILURE, InUseError, NoSuchNetworkError, PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.libpod.runtime import Runtime

_NO_SUCH = 1
_IN_USE = 2


def create(options: Options) -> int:
    """`podpy network create`: prints the name."""
    from podpy.spec.text.values import parse_pairs

    with open_runtime(options) as runtime:
        network = runtime.networks.create(
            options.name,
            driver=options.driver,
            subnets=options.subnet,
            gateways=options.gateway,
            ip_ranges=options.ip_range,
            routes=options.route,
            options=parse_pairs("--opt", options.opt, need_value=False),
            labels=parse_pairs("--label", options.label, need_value=False),
            internal=options.internal,
            ipv6=options.ipv6,
            dns=not options.disable_dns,
            dns_servers=options.dns,
            interface=options.interface_name,
            ipam_driver=options.ipam_driver,
            ignore=options.ignore,
        )
    print(network.name)
    return 0


def exists(options: Options) -> int:
    """`podpy network exists`: 0 or 1."""
    with open_runtime(options) as runtime:
        return 0 if runtime.networks.exists(options.network) else _NO_SUCH


def inspect(options: Options) -> int:
    """`podpy network inspect`: prints the networks that it finds, then an error for each name that it doesn't find."""
    from podpy.cli.show import report
    from podpy.go.view import network_view

    found: list[Any] = []
    missing: list[NoSuchNetworkError] = []
    with open_runtime(options) as runtime:
        for name in options.networks:
            try:
                found.append(network_view(runtime.networks.inspect(name)))
            except NoSuchNetworkError as error:
                missing.append(error)
    template = options.format.replace("{{.Id}}", "{{.ID}}").replace("{{ .Id }}", "{{ .ID }}")
    sys.stdout.write(report.inspected(template, found))
    for absent in missing:
        complain(absent)
    return EXIT_FAILURE if missing else 0


def rm(options: Options) -> int:
    """`podpy network rm`: prints what it removed, as it was named. Its codes: 1 no such network, 2 in use."""
    timeout = options.time if options.given("time") else None
    if timeout is not None and not options.force:
        raise UsageError("--force option must be specified to use the --time option")
    code = 0
    with open_runtime(options) as runtime:
        for name, error in runtime.networks.remove_several(options.networks, force=options.force, timeout=timeout):
            if error is None:
                print(name, flush=True)
            elif not ((options.force or options.ignore) and isinstance(error, NoSuchNetworkError)):
                complain(error)
                code = _code_of(error)
    return code


def _code_of(error: PodpyError) -> int:
    if isinstance(error, NoSuchNetworkError):
        return _NO_SUCH
    return _IN_USE if isinstance(error, InUseError) else EXIT_FAILURE


def update(options: Options) -> int:
    """`podpy network update`: prints the network as it was named."""
    with open_runtime(options) as runtime:
        runtime.networks.update(options.network, dns_add=options.dns_add, dns_drop=options.dns_drop)
    print(options.network)
    return 0


def connect(options: Options) -> int:
    """`podpy network connect`: prints nothing."""
    with open_runtime(options) as runtime:
        runtime.networks.connect(
            options.network,
            options.container,
            ips=[address for address in (options.ip, options.ip6) if address],
            mac=options.mac_address,
            aliases=options.alias,
        )
    return 0


def disconnect(options: Options) -> int:
    """`podpy network disconnect`: prints nothing."""
    with open_runtime(options) as runtime:
        runtime.networks.disconnect(options.network, options.container, force=options.force)
    return 0


def reload(options: Options) -> int:
    """`podpy network reload`: prints the containers' ids."""
    code = 0
    with open_runtime(options) as runtime:
        for name in _reloaded(runtime, options):
            try:
                print(runtime.networks.reload(name), flush=True)
            except PodpyError as error:
                complain(error)
                code = error.exit_code
    return code


def _reloaded(runtime: Runtime, options: Options) -> list[str]:
    if options.latest:
        return [runtime.latest().id]
    return [row.id for row in runtime.rows() if row.status == "running"] if options.all else options.containers
