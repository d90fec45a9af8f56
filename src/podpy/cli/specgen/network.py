"""`--network`, `-p`, `--expose`, `--dns`, `--add-host`: kept as texts that podpy.network reads (podman-run(1))."""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.cli.parser.parse import Options
    from podpy.config.containers_conf import ContainersConf

_DISCARDED = "Port mappings have been discarded as one of the Host, Container, Pod, and None network modes are in use"


def network(options: Options, conf: ContainersConf) -> dict[str, Any]:
    """Return the spec's network fields. Raises UsageError, NotSupportedError."""
    mode = _mode(options.network, conf)
    has_ports = mode not in ("host", "none") and not mode.startswith("container:")
    fields: dict[str, Any] = {
        "network": mode,
        "publish_all": bool(options.publish_all) and has_ports,
        "expose": _exposed(options.expose),
        "dns": list(options.dns or conf.dns_servers),
        "dns_search": list(options.dns_search or conf.dns_searches),
        "dns_options": list(options.dns_option or conf.dns_options),
        "add_hosts": [_check_host(text) for text in options.add_host],
        "no_hosts": bool(options.no_hosts or conf.no_hosts),
        "no_hostname": bool(options.no_hostname),
    }
    if options.dns:
        from podpy.network.names import is_address

        wrong = [text for text in options.dns if text != "none" and not is_address(text)]
        if wrong:
            raise UsageError(
                f"{wrong[0]} is not an ip address", hint="--dns takes the address of a name server, or none"
            )
    if options.no_hosts and options.add_host:
        raise UsageError("--no-hosts and --add-host cannot be set together")
    if options.publish and not has_ports:
        from podpy.cli.show.notice import print_line

        print_line(_DISCARDED)
    elif options.publish:
        from podpy.network.ports import parse_publish

        fields["ports"] = [port for text in options.publish for port in parse_publish(text)]
    return fields


def _exposed(texts: Sequence[str]) -> list[str]:
    if not texts:
        return []
    from podpy.spec.text.expose import parse_expose

    return [port for text in texts for port in parse_expose(text)]


def _mode(networks: Sequence[str], conf: ContainersConf) -> str:
    if len(networks) > 1:
        raise NotSupportedError("several networks: user-defined networks come with a later version of podpy")
    text = networks[0] if networks else "" if conf.netns == "private" else conf.netns
    if text:  # looked at before the container is made: none is left then that could never start
        from podpy.network.mode import parse

        parse(text, conf)
    return text


def _check_host(text: str) -> str:
    names, _, address = text.partition(":")
    if not names or not address:
        raise UsageError(f"invalid value {text!r} for --add-host", hint="It is HOST[;HOST…]:ADDRESS")
    return text
