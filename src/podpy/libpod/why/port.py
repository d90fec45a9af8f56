"""Which container or process uses a port of this machine."""

from __future__ import annotations

import os

from podpy import fastjson, files
from podpy.errors import UsageError
from podpy.libpod.containers.rows import true_rows
from podpy.libpod.containers.table import ALIVE
from podpy.libpod.why.answer import Answer
from podpy.libpod.why.container import command_line
from podpy.numbers import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine

_TABLES = {"tcp": ("tcp", "tcp6"), "udp": ("udp", "udp6")}
_LISTENS = {"tcp": "0A", "udp": "07"}  # proc_net_tcp(5); a udp socket is "closed" until it is connected
_HIGHEST = 65535
_UNPRIVILEGED_START = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


def explain(engine: Engine, text: str) -> Answer:
    """Explain which container or process uses a port: "8080", "53/udp". Raises UsageError."""
    number_text, _, protocol = text.partition("/")
    protocol = protocol or "tcp"
    number = whole(number_text, _HIGHEST)
    if not number or protocol not in _TABLES:
        raise UsageError(f"{text} is no port", hint="As in: podpy why --port 8080, podpy why --port 53/udp")
    reasons = _containers(engine, number, protocol)
    facts: dict[str, object] = {"port": number, "protocol": protocol, "containers": [name for name, _ in reasons]}
    sentences = [sentence for _, sentence in reasons]
    mends = [f"podpy stop {name}" for name, _ in reasons]
    sockets = _sockets(number, protocol)
    if not reasons and sockets:
        holders = _holders(set(sockets))
        facts["pids"] = sorted(holders)
        sentences = [f"{command_line(pid)} (pid {pid}) listens there." for pid in sorted(holders)]
        if not sentences:
            users = sorted(set(sockets.values()))
            facts["uids"] = users
            sentences = [
                f"A process of user {user} listens there; only they, or root, can see which." for user in users
            ]
            mends.append(f"sudo ss -lnp 'sport = :{number}'")
    if not sentences:
        sentences, mends = _free(number)
    return Answer(about=f"port {number}/{protocol}", reasons=sentences, mends=mends, facts=facts)


def _containers(engine: Engine, number: int, protocol: str) -> list[tuple[str, str]]:
    found = []
    for row in true_rows(engine, engine.table.with_status(*ALIVE)):
        if row.status not in ALIVE:
            continue
        for port in fastjson.loads(row.ports):
            first = port["host_port"]
            if port["protocol"] == protocol and first <= number < first + port["count"]:
                inside = port["container_port"] + number - first
                address = port["host_ip"] or "all addresses"
                found.append((row.name, f"The container {row.name} publishes its port {inside} there ({address})."))
    return found


def _sockets(number: int, protocol: str) -> dict[int, int]:
    """Return the inodes of the sockets that listen on a port, each with its user's uid."""
    found = {}
    for table in _TABLES[protocol]:
        try:
            lines = files.read(f"/proc/net/{table}").splitlines()[1:]
        except OSError:
            continue  # no IPv6
        for line in lines:
            words = line.split()
            if int(words[1].rpartition(":")[2], 16) == number and words[3] == _LISTENS[protocol]:
                found[int(words[9])] = int(words[7])
    return found


def _holders(inodes: set[int]) -> set[int]:
    """Return the pids of this user's processes that have one of these sockets."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    found = set()
    for pid in (name for name in os.listdir("/proc") if name.isdigit()):
        directory = f"/proc/{pid}/fd"
        try:
            if any(os.readlink(f"{directory}/{name}") in wanted for name in os.listdir(directory)):
                found.add(int(pid))
        except OSError:
            continue  # another user's process, or gone
    return found


def _free(number: int) -> tuple[list[str], list[str]]:
    start = whole(files.read_small(_UNPRIVILEGED_START).strip(), _HIGHEST) or 0
    if number < start and os.getuid():
        return (
            [f"Nobody holds it, but ports below {start} are for root alone."],
            [f"sudo sysctl net.ipv4.ip_unprivileged_port_start={number}", "or publish a higher port, as -p 8080:80"],
        )
    return ["Nobody holds it."], []
