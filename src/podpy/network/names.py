"""/etc/hosts, /etc/resolv.conf, /etc/hostname: pure functions that return texts.

Rules: podman-run(1) (--add-host, --dns, --dns-option, --dns-search, --no-hosts, --hostname), containers.conf(5)
(base_hosts_file, host_containers_internal_ip), resolv.conf(5), hosts(5).
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import UsageError
from podpy.spec.text.network import HOST_GATEWAY, check_host, is_address

DOMAIN = "dns.podman"
"""What a user network's names end with, as Podman's: `web` and `web.dns.podman` are the same container."""

HOST_NAMES = ("host.containers.internal", "host.docker.internal")
SYSTEMD_RESOLVED = "/run/systemd/resolve/resolv.conf"
_STUB = "127.0.0.53"
_RESOLV_CONF = "/etc/resolv.conf"

Entry = tuple[str, list[str]]


def hosts(*, added: list[str], base: str, host_address: str, own: list[Entry]) -> str:
    """Return the text of /etc/hosts. A name that an earlier line has isn't given again.

    `added`: "name[;name…]:address" as `--add-host`, also with host-gateway; `base`: the text of another hosts file;
    `host_address`: what the host is called by, or empty; `own`: addresses of the container with its names.
    Raises UsageError.
    """
    entries = [_added(text, host_address) for text in added]
    entries += _parse(base)
    lines = [host_line(address, names) for address, names in entries]
    known = {name for _, names in entries for name in names}
    more: list[Entry] = [("127.0.0.1", ["localhost"]), ("::1", ["localhost"])]
    if host_address:
        more.append((host_address, list(HOST_NAMES)))
    for address, names in [*more, *own]:
        free = [name for name in names if name not in known]
        if free:
            lines.append(host_line(address, free))
    return "".join(f"{line}\n" for line in lines)


def _added(text: str, host_address: str) -> Entry:
    names, _, address = check_host(text).partition(":")
    if address == HOST_GATEWAY:
        if not host_address:
            raise UsageError(f"--add-host {text}: the host has no address that the container could use")
        return host_address, names.split(";")
    return address.strip("[]"), names.split(";")


def _parse(text: str) -> list[Entry]:
    rows = (line.partition("#")[0].split() for line in text.splitlines())
    return [(row[0], row[1:]) for row in rows if len(row) > 1]


def host_line(address: str, names: list[str]) -> str:
    """Return a line of /etc/hosts, without its newline."""
    return f"{address}\t{' '.join(names)}"


def server_line(address: str) -> str:
    """Return a resolver's line of /etc/resolv.conf, without its newline."""
    return f"nameserver {address}"


def own_names(hostname: str, uts: str, container_id: str, name: str) -> list[str]:
    """Return the names by which a container's /etc/hosts knows itself: its host name and its name.

    Another container's host name, which it shares, is that one's.
    """
    if uts.startswith("container:") and not hostname:
        return [name]
    default = os.uname().nodename if uts == "host" else container_id[:12]
    return list(dict.fromkeys([hostname or default, name]))


class Resolver:
    """What a resolv.conf says."""

    def __init__(self, text: str) -> None:
        self.servers: list[str] = []
        self.search: list[str] = []
        self.options: list[str] = []
        for line in text.splitlines():
            words = line.partition("#")[0].partition(";")[0].split()
            if not words:
                continue
            if words[0] == "nameserver" and len(words) > 1 and is_address(words[1]):
                self.servers.append(words[1])
            elif words[0] in ("search", "domain"):
                self.search = words[1:]
            elif words[0] == "options":
                self.options = words[1:]


def host_resolver(*, own_namespace: bool) -> Resolver:
    """Return the host's resolver; behind systemd-resolved's stub the real servers, if a namespace can't reach it."""
    resolver = Resolver(files.read_small(_RESOLV_CONF))
    if own_namespace and resolver.servers == [_STUB]:
        real = Resolver(files.read_small(SYSTEMD_RESOLVED))
        if real.servers:
            return real
    return resolver


def resolv_conf(
    host: Resolver,
    *,
    servers: list[str],
    search: list[str],
    options: list[str],
    forwarder: str = "",
    own_namespace: bool = True,
) -> str:
    """Return the text of /etc/resolv.conf.

    Asked-for values (`--dns`, `--dns-search`, `--dns-option`) replace the host's, each kind for itself. Without `--dns`
    the forwarder comes first; the host's servers follow without those that only the host can reach: loopback,
    link-local with a zone. A search list of "." is none.
    """
    if servers:
        chosen = servers
    elif own_namespace:
        reachable = [server for server in host.servers if not _is_local(server)]
        chosen = [*([forwarder] if forwarder else []), *reachable]
    else:
        chosen = host.servers
    words = search or host.search
    lines = []
    if words and words != ["."]:
        lines.append(f"search {' '.join(words)}\n")
    lines += [f"{server_line(server)}\n" for server in chosen]
    if options or host.options:
        lines.append(f"options {' '.join(options or host.options)}\n")
    return "".join(lines)


def network_resolv_conf(host: Resolver, *, gateways: list[str], search: list[str], options: list[str]) -> str:
    """Return the text of /etc/resolv.conf on user networks of which at least one has names.

    `gateways`: where their resolver listens, in the order of the command line. It knows the containers' names, and asks
    the host's servers, or those of `--dns`, for all others, so none of these is here. `--dns-search` replaces the
    networks' own domain, and "." is none; the host's list doesn't count: a container's name would be asked for outside.
    """
    return resolv_conf(host, servers=list(dict.fromkeys(gateways)), search=search or [DOMAIN], options=options)


def _is_local(server: str) -> bool:
    return server.startswith("127.") or server == "::1" or "%" in server


def hostname(name: str, container_id: str) -> str:
    """Return the text of /etc/hostname."""
    return (name or container_id[:12]) + "\n"
