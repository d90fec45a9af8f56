"""Names on a user network: podpy-resolver beside aardvark-dns, in turns.

    python bench/names.py [--rounds N] [--questions N] [--aardvark PATH]

A bridge in a network namespace, a client on it in another, 100 containers in one file. One question after the other by
UDP for an address, a missing name, a reverse name; then how long a new name takes from its file's rename (with SIGHUP
for aardvark-dns) to its first answer, asked for without a pause. CPU time is the server's own (/proc/PID/schedstat).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "src/podpy/_bin/resolver"
GATEWAY = "10.89.0.1"
QUESTIONS = {
    "address": ("c50", 1),
    "missing name": ("nobody.dns.podman", 1),
    "reverse": ("50.0.89.10.in-addr.arpa", 12),
}
CLIENT = """
import socket, struct, sys, time
name, kind, count, until = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "until"
wire = b"".join(bytes([len(label)]) + label for label in name.encode().split(b".")) + b"\\0"
wire += struct.pack("!HH", kind, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
    asker.connect(("10.89.0.1", 53))
    asker.settimeout(0.3)
    print("ready", flush=True)
    sys.stdin.readline()
    times = []
    for ident in range(count):
        began = time.perf_counter()
        try:
            asker.send(struct.pack("!6H", ident & 0xffff, 0x100, 1, 0, 0, 0) + wire)
            said = asker.recv(4096)
        except OSError:
            continue
        times.append(time.perf_counter() - began)
        if until and said[3] & 15 == 0:
            print(time.clock_gettime(time.CLOCK_MONOTONIC))
            sys.exit()
print(*times)
"""


class Space:
    """A network namespace, alive as long as its process."""

    def __init__(self, outer: list[str], script: str) -> None:
        command = [*outer, "sh", "-c", f"set -e; ip link set lo up; {script}; echo; exec cat"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.process.stdout.readline()
        self.inside = ["nsenter", f"--target={self.process.pid}", "--user", "--net", "--preserve-credentials"]


class Lab:
    """The bridge, the client, the folder."""

    def __init__(self, base: Path, containers: int) -> None:
        self.base = base
        self.names = base / "names"
        self.names.mkdir()
        (base / "netns").touch()
        self.lines = [GATEWAY] + [
            f"{number:064x} 10.89.{number // 250}.{number % 250}  c{number},{number:012x}"
            for number in range(2, containers)
        ]
        self.write([])
        unshare = ["unshare", "--user", "--map-root-user", "--net"]
        bridge = f"ip link add front type bridge; ip address add {GATEWAY}/16 dev front; ip link set front up"
        self.shared = Space(unshare, bridge)
        self.client = Space([*self.shared.inside, "unshare", "--net"], ":")
        plug = [
            f"ip link add plug type veth peer name eth0 netns {self.client.process.pid}",
            "ip link set plug master front up",
        ]
        subprocess.run([*self.shared.inside, "sh", "-ec", "; ".join(plug)], check=True)
        address = "ip address add 10.89.0.2/16 dev eth0; ip link set eth0 up"
        subprocess.run([*self.client.inside, "sh", "-ec", address], check=True)

    def write(self, more: list[str]) -> None:
        """Put the network's file in place."""
        aside = self.base / "aside"
        aside.write_text("".join(f"{line}\n" for line in [*self.lines, *more]))
        aside.rename(self.names / "front")

    def ask(self, name: str, kind: int, count: int, mode: str = "all") -> subprocess.Popen[str]:
        """Start a client that asks when it gets a line."""
        command = [*self.client.inside, sys.executable, "-c", CLIENT, name, str(kind), str(count), mode]
        asker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert asker.stdout is not None
        asker.stdout.readline()
        return asker


def start_podpy(lab: Lab) -> int:
    """Start podpy-resolver and return its pid."""
    netns = os.open(f"/proc/{lab.shared.process.pid}/ns/net", os.O_RDONLY)
    lock = os.open(lab.base / "resolver.pid", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    ready, theirs = os.pipe()
    command = ["nsenter", f"--target={lab.shared.process.pid}", "--user", "--preserve-credentials", PROGRAM, lab.base]
    subprocess.run([*command, *map(str, (netns, theirs, lock, -1))], check=True, pass_fds=[netns, theirs, lock])
    for descriptor in (netns, lock, theirs):
        os.close(descriptor)
    os.read(ready, 1)
    os.close(ready)
    return int((lab.base / "resolver.pid").read_text().split()[1])


def start_aardvark(lab: Lab, program: str) -> int:
    """Start aardvark-dns and return its pid."""
    subprocess.run([*lab.shared.inside, program, "--config", lab.names, "-p", "53", "run"], check=True)
    return int((lab.names / "aardvark.pid").read_text())


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process with all its threads."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def pss(pid: int) -> int:
    """Return a process's share of memory, in kB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1])


def measure(lab: Lab, pid: int, questions: int, *, hang_up: bool) -> dict[str, float]:
    """Return microseconds per question, CPU microseconds per question, milliseconds until a new name, PSS."""
    found: dict[str, float] = {}
    for what, (name, kind) in QUESTIONS.items():
        before = cpu_seconds(pid)
        asker = lab.ask(name, kind, questions)
        times = sorted(float(word) for word in asker.communicate("\n")[0].split())
        found[f"{what}, µs"] = 1e6 * statistics.median(times)
        found[f"{what}, CPU µs"] = 1e6 * (cpu_seconds(pid) - before) / questions
        found[f"{what}, unanswered"] = questions - len(times)
    asker = lab.ask("new.dns.podman", 1, 100000, "until")
    assert asker.stdin is not None
    asker.stdin.write("\n")
    asker.stdin.flush()
    time.sleep(0.05)
    began = time.clock_gettime(time.CLOCK_MONOTONIC)
    lab.write(["f" * 64 + " 10.89.0.77  new"])
    if hang_up:
        os.kill(pid, signal.SIGHUP)
    found["new name, ms"] = 1e3 * (float(asker.communicate()[0]) - began)
    lab.write([])
    with contextlib.suppress(PermissionError):
        found["PSS, kB"] = pss(pid)
    return found


def end(pid: int) -> None:
    """End a server and wait for that."""
    pidfd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    import select

    select.select([pidfd], [], [])
    os.close(pidfd)


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--questions", type=int, default=5000)
    parser.add_argument("--containers", type=int, default=100)
    parser.add_argument("--aardvark", default=shutil.which("aardvark-dns", path="/usr/lib/podman:/usr/libexec/podman"))
    options = parser.parse_args()
    rows: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as base:
        lab = Lab(Path(base), options.containers)
        for _ in range(options.rounds):
            for side in ("podpy", "aardvark"):
                if side == "aardvark" and not options.aardvark:
                    continue
                pid = start_podpy(lab) if side == "podpy" else start_aardvark(lab, options.aardvark)
                for what, value in measure(lab, pid, options.questions, hang_up=side == "aardvark").items():
                    rows.setdefault(what, {}).setdefault(side, []).append(value)
                end(pid)
        for space in (lab.client, lab.shared):
            space.process.kill()
            space.process.wait()
    for what, sides in rows.items():
        cells = [f"{min(v):.1f} / **{statistics.median(v):.1f}** / {max(v):.1f}" for v in sides.values()]
        print("| " + " | ".join([what, *cells]) + " |")


if __name__ == "__main__":
    main()
