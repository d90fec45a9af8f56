"""User networks beside what Podman has for them, in turns, in network namespaces of the bench's own.

    PYTHONPATH=src python -m bench.network [CASE …]           --rounds 5 --seconds 3

Each case is a function that takes a Bench and yields (what, unit, {side: values}). A side is a way to the container:
podpy-forward, and Podman's rootlessport (of the installed package) with the same ports. To add one: a function in SIDES
that publishes PORTS; to add a case: a function in CASES.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from podpy.network.bridge.forwarder import Target
from podpy.spec.container import PortMapping
from tests.network import forwarding
from tests.network.lab import GATEWAY, HOST, SERVER, Lab
from tests.support import wait
from tests.support.users import unprivileged_user

ROOTLESSPORT = "/usr/lib/podman/rootlessport"
HERE = Path(__file__).resolve().parent
WEB, IPERF, ECHO = 80, 5201, 7
PROTOCOLS = {WEB: "tcp", IPERF: "tcp", ECHO: "udp"}

Values = dict[str, list[float]]
Row = tuple[str, str, Values]


def spawn(command: list[str]) -> int:
    """Start a program in the background (called in the lab) and return its pid; the lab's end ends it."""
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).pid


def start_rootlessport(directory: str, first: int) -> list[int]:
    """Start Podman's forwarder for PROTOCOLS, as Podman does; return its processes' ids (called in the lab)."""
    reading, ends = os.pipe()
    ready, writing = os.pipe()
    mappings = [
        {"host_ip": "", "container_port": port, "host_port": first + port, "range": 1, "protocol": protocol}
        for port, protocol in PROTOCOLS.items()
    ]
    told = {
        "Mappings": mappings, "NetNSPath": "/run/netns/container", "ExitFD": reading, "ReadyFD": writing,
        "TmpDir": directory, "ChildIP": SERVER, "ContainerID": "a" * 64, "RootlessCNI": False,
    }  # fmt: skip
    parent = subprocess.Popen(
        [ROOTLESSPORT],
        stdin=subprocess.PIPE,
        pass_fds=[reading, writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # as podpy-forward: the scheduler gives each session its share
    )
    assert parent.stdin is not None
    parent.stdin.write(json.dumps(told).encode())
    parent.stdin.close()
    os.close(writing)
    os.read(ready, 1)
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    globals()["kept"] = ends  # its end is told by this one's
    return [parent.pid, *map(int, children)]


class Bench:
    """The lab, the sides with their processes, and the servers in the container."""

    def __init__(self, lab: Lab, directory: Path, options: argparse.Namespace) -> None:
        self.lab = lab
        self.directory = directory
        self.options = options
        self.load = str(directory / "load")
        self.first: dict[str, int] = {}
        self.processes: dict[str, list[int]] = {}
        subprocess.run(["cc", "-O2", "-static", "-o", self.load, str(HERE / "network_load.c")], check=True)
        self.servers = [
            lab.call("container", spawn, command)
            for command in ([self.load, "serve", str(WEB)], [self.load, "echo", str(ECHO)], ["iperf3", "-s"])
        ]
        for where in ("remote", "host"):  # else the clients themselves soon look for a port in vain
            lab.run(where, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse")
        for number, (name, start) in enumerate(SIDES.items()):
            self.first[name] = 10000 + 10000 * number
            self.processes[name] = start(self, self.first[name])
        if options.nice:
            for pid in [lab.process.pid, *self.servers, *(pid for pids in self.processes.values() for pid in pids)]:
                Path(f"/proc/{pid}/autogroup").write_text(str(options.nice))  # sched(7)

    def each(self, measure: Callable[[str], float], rounds: int) -> Values:
        """Measure all sides in turns."""
        values: Values = {name: [] for name in self.first}
        for _ in range(rounds):
            for name in values:
                values[name].append(measure(name))
        return values

    def client(self, kind: str, side: str, port: int, *more: object, where: str = "remote") -> list[float]:
        """Run a load and return the numbers that it prints."""
        host = HOST if where == "remote" else "127.0.0.1"
        said = self.lab.run(where, self.load, kind, host, str(self.first[side] + port), *map(str, more))
        return [float(word) for word in said.split()]

    def memory(self, side: str) -> float:
        """Return the PSS of a side's processes, in kB."""
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.processes[side]]
        return float(sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line[:4] == "Pss:"))

    def close(self) -> None:
        """End what was started."""
        for pid in [*self.servers, *(pid for pids in self.processes.values() for pid in pids)]:
            os.kill(pid, signal.SIGKILL)


def forward(bench: Bench, first: int) -> list[int]:
    """podpy-forward."""
    program = HERE.parent / "src/podpy/_bin/forward"
    side = forwarding.Forwarder(bench.lab, bench.directory, program)
    ports = [PortMapping(container_port=p, host_port=first + p, protocol=k) for p, k in PROTOCOLS.items()]
    side.start(*ports, target=Target(v4=SERVER, gateway_v4=GATEWAY))
    return [side.pid]


def rootlessport(bench: Bench, first: int) -> list[int]:
    """Podman's."""
    from bench.network import start_rootlessport as function

    return bench.lab.call("host", function, str(bench.directory), first)


SIDES: dict[str, Callable[[Bench, int], list[int]]] = {"rootlessport": rootlessport, "podpy-forward": forward}


def throughput(bench: Bench) -> Iterator[Row]:
    """One connection, into the container and out of it."""
    for where in ("remote", "host"):
        for direction, option in (("up", ()), ("down", ("-R",))):

            def measure(side: str, where: str = where, option: tuple[str, ...] = option) -> float:
                host, port = (HOST if where == "remote" else "127.0.0.1"), str(bench.first[side] + IPERF)
                command = ["iperf3", "-c", host, "-p", port, "-t", str(bench.options.seconds), "-J", *option]
                found = {"error": ""}
                for _ in range(5):  # the server may be busy with the end of the one before
                    found = json.loads(bench.lab.run(where, *command))
                    if "error" not in found:
                        break
                assert "error" not in found, f"{side}: {found['error']}"
                return float(found["end"]["sum_received"]["bits_per_second"]) / 1e9

            yield f"{direction}, {where}", "Gbit/s", bench.each(measure, bench.options.rounds)


def short_connections(bench: Bench) -> Iterator[Row]:
    """One after another, 16 at a time: a question, an answer, the end."""
    for where in ("remote", "host"):

        def measure(side: str, where: str = where) -> float:
            rate, failed = bench.client("short", side, WEB, bench.options.seconds, 16, where=where)
            assert failed == 0, f"{side}: {failed:g} connections failed"
            return rate

        yield f"short connections, {where}", "1/s", bench.each(measure, bench.options.rounds)


def many_connections(bench: Bench) -> Iterator[Row]:
    """All open at the same time; each gets its answer."""
    count = bench.options.connections
    for side in bench.first:
        command = [bench.load, "hold", HOST, str(bench.first[side] + WEB), str(count)]
        try:
            answered = float(bench.lab.run("remote", *command))
        except RuntimeError as error:  # what can't be done is a result, too
            print(f"{side}: {error}", file=sys.stderr)
            answered = 0.0
        yield f"{count} connections at the same time, answered", "", {side: [answered]}


def datagrams(bench: Bench) -> Iterator[Row]:
    """200 bytes each, echoed, 32 on their way at a time."""
    lost: Values = {}

    def measure(side: str) -> float:
        rate, missing = bench.client("datagrams", side, ECHO, bench.options.datagrams)
        lost.setdefault(side, []).append(missing)
        return rate

    yield f"{bench.options.datagrams} datagrams there and back", "1/s", bench.each(measure, bench.options.rounds)
    yield "of them lost", "", lost


def memory(bench: Bench) -> Iterator[Row]:
    """At rest, after what came before."""
    time.sleep(0.5)  # what was needed to start is given back meanwhile
    yield "memory (PSS)", "kB", bench.each(bench.memory, 1)


CASES = {case.__name__: case for case in (memory, throughput, short_connections, many_connections, datagrams)}


def show(row: Row) -> None:
    """Print a line of a Markdown table: median (lowest, highest) of each side."""
    what, unit, values = row
    cells = []
    for side in SIDES:
        found = values.get(side)
        cells.append(f"**{statistics.median(found):.4g}** ({min(found):.4g}, {max(found):.4g})" if found else "")
    print(f"| {what}, {unit} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", choices=[*CASES, []], default=[])
    parser.add_argument("--nice", type=int, default=0, help="of all that takes part, on a machine with other work")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--datagrams", type=int, default=1_000_000)
    options = parser.parse_args()
    user = unprivileged_user()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory, Lab(user.as_popen_arguments()) as lab:
        os.chown(directory, user.uid, user.gid)
        bench = Bench(lab, Path(directory), options)
        print("| what | " + " | ".join(SIDES) + " |\n|---|" + "---|" * len(SIDES))
        try:
            for name in options.case or CASES:
                for row in CASES[name](bench):
                    show(row)
        finally:
            bench.close()
            (Path(directory) / "netns").unlink(missing_ok=True)
            for pid in bench.processes.get("podpy-forward", []):
                wait.for_end(pid)


if __name__ == "__main__":
    from bench import network

    network.main()
