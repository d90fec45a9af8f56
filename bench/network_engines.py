#!/usr/bin/env python3
"""User networks: podpy beside Podman, whole commands, in turns.

    bench/network_engines.py [--podman COMMAND] [--podpy COMMAND] [--image IMAGE] [--rounds N] [--count N] [CASE…]

Run it as the unprivileged user whose containers both make, as bench/containers.py; or as root with commands that
become that user (`--podman "runuser -u alice -- podman"`): only then the memory of programs that hide theirs is
counted. A hundred containers need as many keys of the kernel: `keyring = false` below [containers] in containers.conf,
for both, or a higher kernel.keys.maxkeys. The cases with traffic need iperf3 and cc on the host: containers see its
files, read-only.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from interleave import check_drivers, time_command

NETWORK = "bench"
HELPERS = ("aardvark-dns", "conmon", "netavark", "pasta", "passt", "podpy-", "rootlessport", "slirp4netns", "exe")
HERE = Path(__file__).resolve().parent

Values = dict[str, list[float]]
Row = tuple[str, str, Values]


class Engine:
    """One of the two: its command, and what its containers are started with."""

    def __init__(self, name: str, command: str, port: int, options: argparse.Namespace) -> None:
        self.name = name
        self.words = shlex.split(command)
        self.port = port
        self.options = options

    def __call__(self, *words: str) -> str:
        """Run a command and return its output; raises if it fails."""
        command = [*self.words, *words]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command}: exit {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def run(self, *options: str) -> list[str]:
        """Return the command line that runs `true`."""
        return [*self.words, "run", "--rm", *options, self.options.image, "true"]

    def start(self, name: str, *options: str, command: tuple[str, ...] = ("sleep", "1000")) -> None:
        """Start a container in the background."""
        self("run", "-d", f"--name={name}", *options, self.options.image, *command)

    def on_host(self, name: str, *options: str, command: tuple[str, ...]) -> None:
        """Start a container in which a program of the host's runs."""
        self.start(name, "-v", "/:/host:ro", *options, command=("chroot", "/host", *command))

    def clear(self) -> None:
        """Remove all containers."""
        self("rm", "-f", "-a", "-t", "0")


class Bench:
    """The engines, and the loops."""

    def __init__(self, options: argparse.Namespace, load: str) -> None:
        commands = {"podman": options.podman, "podpy": options.podpy}
        self.engines = [
            Engine(name, command, options.port + 100 * n, options) for n, (name, command) in enumerate(commands.items())
        ]
        self.options = options
        self.load = load

    def each(self, measure: Callable[[Engine], float], *, rounds: int = 0, warm_up: int = 1) -> Values:
        """Measure both in turns."""
        values: Values = {engine.name: [] for engine in self.engines}
        for number in range(-warm_up, rounds or self.options.rounds):
            for engine in self.engines:
                found = measure(engine)
                if number >= 0:
                    values[engine.name].append(found)
        return values

    def time(self, *options: str) -> Values:
        """Return the milliseconds that `run --rm OPTIONS` takes."""
        return self.each(lambda engine: 1000 * time_command(engine.run(*options)), warm_up=2)


def runs(bench: Bench) -> Iterator[Row]:
    """`run --rm I true`: without a network, on the default one, as the first on a network, beside another one."""
    for network in ("none", "default"):
        yield f"run --rm, {network}", "ms", bench.time(*(["--network=none"] if network == "none" else []))
    yield "run --rm, the first on a network", "ms", bench.time(f"--network={NETWORK}")
    for engine in bench.engines:
        engine.start("other", f"--network={NETWORK}")
    yield "run --rm, beside another", "ms", bench.time(f"--network={NETWORK}")

    def published(engine: Engine) -> float:
        return 1000 * time_command(engine.run(f"--network={NETWORK}", "-p", f"{engine.port}:80"))

    yield "run --rm, beside another, with a port", "ms", bench.each(published, warm_up=2)


def _together(engine: Engine, count: int) -> float:
    """Return the seconds that `count` starts take, four at a time."""
    began = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: engine.start(f"c{number}", f"--network={NETWORK}"), range(count)))
    took = time.perf_counter() - began
    engine.clear()
    return took


def together(bench: Bench) -> Iterator[Row]:
    """20 containers on a network, started four at a time."""
    rounds = max(1, bench.options.rounds // 4)
    yield "20 starts, 4 at a time", "s", bench.each(lambda e: _together(e, 20), rounds=rounds, warm_up=0)


def many(bench: Bench) -> Iterator[Row]:
    """--count containers on a network, started four at a time, then the next one there; all removed."""
    count = bench.options.count
    found: dict[str, Values] = {"starts, 4 at a time": {}, "the next one": {}, "rm -f -a": {}}
    for engine in bench.engines:
        began = time.perf_counter()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n, e=engine: e.start(f"c{n}", f"--network={NETWORK}"), range(count)))
        marks = [time.perf_counter() - began, time_command(engine.run(f"--network={NETWORK}"))]
        began = time.perf_counter()
        engine.clear()
        for values, seconds in zip(found.values(), [*marks, time.perf_counter() - began], strict=True):
            values[engine.name] = [seconds]
    for what, values in found.items():
        yield f"{count} containers: {what}", "s", values


def _helpers() -> dict[int, str]:
    """Return the names of the running programs that serve containers, by pid."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            name = path.read_text().strip()
        except OSError:
            continue
        if name.startswith(HELPERS):
            found[int(path.parent.name)] = name
    return found


def pss(pid: int) -> float:
    """Return the kB of memory that a process has, its share of what it shares with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("Pss:")))


def memory(bench: Bench) -> Iterator[Row]:
    """PSS of all helpers of ten containers with a published port each."""
    totals: Values = {}
    for engine in bench.engines:
        before = _helpers()
        for number in range(10):
            engine.start(f"c{number}", f"--network={NETWORK}", "-p", f"{engine.port + number}:80")
        mine = {pid: name for pid, name in _helpers().items() if pid not in before}
        try:
            for name in sorted(set(mine.values())):
                found = [pss(pid) for pid, own in mine.items() if own == name]
                print(f"{engine.name}: {len(found)} {name}, {sum(found):g} kB", file=sys.stderr)
                totals[engine.name] = [sum(found) + sum(totals.get(engine.name, []))]
        except PermissionError as error:
            print(f"{engine.name}: {error}: measure as root", file=sys.stderr)
            totals[engine.name] = [0.0]
        engine.clear()
    yield "ten containers with a port: PSS of all helpers", "kB", totals


def _iperf(command: list[str]) -> float:
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(json.loads(said)["end"]["sum_received"]["bits_per_second"]) / 1e9


def _address() -> str:
    """Return this host's own address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def traffic(bench: Bench) -> Iterator[Row]:
    """One connection: to another container, out, and by a published port in both directions; short connections."""
    seconds, host = str(bench.options.seconds), _address()
    for engine in bench.engines:
        engine.on_host("server", f"--network={NETWORK}", "-p", f"{engine.port}:5201", command=("iperf3", "-s"))
        serve = (bench.load, "serve", "80")
        engine.on_host("web", f"--network={NETWORK}", "-p", f"{engine.port + 1}:80", command=serve)
        engine.start("client", "-v", "/:/host:ro", f"--network={NETWORK}")
    client = ["-t", seconds, "-J"]

    def inside(engine: Engine, address: str, *more: str) -> float:
        return _iperf([*engine.words, "exec", "client", "chroot", "/host", "iperf3", "-c", address, *client, *more])

    def of_server(engine: Engine) -> str:
        template = '{{(index .NetworkSettings.Networks "' + NETWORK + '").IPAddress}}'
        return engine("inspect", "--format", template, "server")

    yield "container to container", "Gbit/s", bench.each(lambda e: inside(e, of_server(e)), warm_up=0)

    def of_host(engine: Engine) -> str:  # Podman's containers have the host's own address as another one
        lines = engine("exec", "client", "cat", "/etc/hosts").splitlines()
        return next(line.split()[0] for line in lines if "host.containers.internal" in line)

    server = subprocess.Popen(["iperf3", "-s", "-p", "5299"], stdout=subprocess.DEVNULL)
    try:
        yield "way out", "Gbit/s", bench.each(lambda e: inside(e, of_host(e), "-p", "5299"), warm_up=0)
    finally:
        server.kill()
        server.wait()
    for direction, more in (("in", ()), ("out", ("-R",))):

        def published(engine: Engine, more: tuple[str, ...] = more) -> float:
            return _iperf(["iperf3", "-c", host, "-p", str(engine.port), *client, *more])

        yield f"published port, {direction}", "Gbit/s", bench.each(published, warm_up=0)

    def short(engine: Engine) -> float:
        command = [bench.load, "short", host, str(engine.port + 1), seconds, "16"]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0])

    yield "short connections", "1/s", bench.each(short, warm_up=0)


def names(bench: Bench) -> Iterator[Row]:
    """A name of another container, asked for 100 times, one program each."""
    for engine in bench.engines:
        engine.start("web", f"--network={NETWORK}")
        engine.start("client", f"--network={NETWORK}")
    loop = "i=0; while [ $i -lt 100 ]; do i=$((i+1)); nslookup -type=a web.dns.podman >/dev/null || exit 1; done"

    def ask(engine: Engine) -> float:
        return 10 * time_command([*engine.words, "exec", "client", "sh", "-c", loop])

    yield "a name looked up (with the program that does it)", "ms", bench.each(ask)


CASES = {case.__name__: case for case in (runs, together, many, memory, traffic, names)}


def show(row: Row) -> None:
    """Print a line of a Markdown table: median (lowest, highest) of both, and the ratio."""
    what, unit, values = row
    cells = [f"**{statistics.median(f):.4g}** ({min(f):.4g}, {max(f):.4g})" for f in values.values()]
    first, *rest = (statistics.median(found) for found in values.values())
    ratio = f"{rest[0] / first:.2f}" if rest and first else ""
    print(f"| {what}, {unit} | " + " | ".join([*cells, ratio]) + " |", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", help=f"of: {', '.join(CASES)}")
    parser.add_argument("--podman", default="podman")
    parser.add_argument("--podpy", default="podpy")
    parser.add_argument("--image", default="localhost/busybox:latest")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--port", type=int, default=22000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        os.chmod(directory, 0o755)
        load = f"{directory}/load"
        if {"traffic"} & set(options.case or CASES):
            subprocess.run(["cc", "-O2", "-static", "-o", load, HERE / "network_load.c"], check=True)
        bench = Bench(options, load)
        check_drivers({engine.name: engine.words for engine in bench.engines})
        for engine in bench.engines:  # podpy has the same folder of networks as Podman, usually
            engine("network", "create", "--ignore", NETWORK)
        print("| what | podman | podpy | podpy / podman |\n|---|---|---|---|")
        try:
            for name in options.case or CASES:
                for row in CASES[name](bench):
                    show(row)
                for engine in bench.engines:
                    engine.clear()
        finally:
            for engine in bench.engines:
                engine.clear()
            for engine in bench.engines:
                engine("network", "rm", "-f", NETWORK)


if __name__ == "__main__":
    main()
