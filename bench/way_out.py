#!/usr/bin/env python3
"""What a container sends through pasta or slirp4netns, with and without podpy's settings for it.

    bench/way_out.py [--rounds N] [--seconds N] [--delay MILLISECONDS]… [PROGRAM…]

Run it as root, with iperf3 and, for --delay, a C compiler. PROGRAM is a command line (a pasta of another Debian: its
libc's dynamic loader, `--library-path`, the directory, and pasta); the default is `pasta`. Makes three network
namespaces of its own: a container's, a host's and a remote host's; --delay is the one of one way between the latter
two. Settings and programs take turns. Prints a Markdown table of Gbit/s: lowest, median, highest.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

_SETTINGS = {"the host's": {}, "podpy's": {"tcp_wmem": "4096 16384 524288", "tcp_rto_min_us": "10000"}}
_PASTA = (
    "--config-net -i {device} -I eth0 -M 9a:55:9a:55:9a:55 -a 10.0.2.100 -n 24 -g 10.0.2.2 -4 -t none -u none -T none"
    " -U none --no-map-gw --quiet --runas 0:0 --pid {pid} --netns {netns}"
)
_SLIRP = "--configure --mtu 65520 --netns-type path {netns} eth0"
_HOST, _REMOTE = "192.0.2.2", "192.0.2.1"


def run(command: str) -> str:
    """Run a command line and return what it prints."""
    return subprocess.run(shlex.split(command), check=True, stdout=subprocess.PIPE, text=True).stdout


class Lab:
    """The namespaces of the host and of the remote one, a link between them, and a server on each."""

    def __init__(self, ends: ExitStack, delay: float) -> None:
        self.name = f"way-out-{os.getpid()}"
        self.directory = ends.enter_context(tempfile.TemporaryDirectory())
        self.device = "far" if delay else "near"
        for side in ("host", "remote"):
            run(f"ip netns add {self.name}-{side}")
            ends.callback(run, f"ip netns del {self.name}-{side}")
        if delay:
            self._delay(ends, delay)
        else:
            peer = f"peer name near netns {self.name}-remote"
            run(f"ip link add near netns {self.name}-host type veth {peer}")
        for side, address in (("host", _HOST), ("remote", _REMOTE)):
            run(f"ip -n {self.name}-{side} link set lo up")
            run(f"ip -n {self.name}-{side} address add {address}/24 dev {self.device}")
            run(f"ip -n {self.name}-{side} link set {self.device} up mtu 1500 txqueuelen 10000")
            server = subprocess.Popen(
                ["ip", "netns", "exec", f"{self.name}-{side}", "iperf3", "-s"], stdout=subprocess.DEVNULL
            )
            ends.callback(server.wait)
            ends.callback(server.kill)
        run(f"ip -n {self.name}-host route add default via {_REMOTE}")

    def _delay(self, ends: ExitStack, delay: float) -> None:
        program = f"{self.directory}/delay_link"
        run(f"cc -O2 -o {program} {Path(__file__).with_name('delay_link.c')}")
        netns = [f"/run/netns/{self.name}-{side}" for side in ("host", "remote")]
        link = subprocess.Popen([program, *netns, str(delay)], stdout=subprocess.PIPE)
        ends.callback(link.wait)
        ends.callback(link.kill)
        assert link.stdout is not None
        link.stdout.readline()

    def measure(self, program: str, settings: dict[str, str], target: str, seconds: int) -> float:
        """Return the Gbit/s that arrive from a new container."""
        inner = f"{self.name}-container"
        with ExitStack() as ends:
            run(f"ip netns add {inner}")
            ends.callback(run, f"ip netns del {inner}")
            run(f"ip -n {inner} link set lo up")
            for name, value in settings.items():
                run(f"ip netns exec {inner} sysctl -qw 'net.ipv4.{name}={value}'")
            options = _SLIRP if program.endswith("slirp4netns") else _PASTA
            pid = f"{self.directory}/pid"
            words = options.format(device=self.device, pid=pid, netns=f"/run/netns/{inner}")
            command = shlex.split(f"ip netns exec {self.name}-host {program} {words}")
            helper = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if options == _PASTA:
                helper.wait()
                helper_pid = int(Path(pid).read_text())
                ends.callback(os.kill, helper_pid, 15)
            else:
                ends.callback(helper.wait)
                ends.callback(helper.kill)
                time.sleep(1)  # it says that it is ready on a descriptor only
            return gbits(inner, target, seconds)


def gbits(netns: str, target: str, seconds: int) -> float:
    """Return what iperf3's server gets from a namespace, in Gbit/s."""
    for _ in range(5):
        with suppress(subprocess.CalledProcessError):  # the server is busy with the end of the last one
            found = run(f"ip netns exec {netns} iperf3 -J -c {target} -t {seconds}")
            return float(json.loads(found)["end"]["sum_received"]["bits_per_second"]) / 1e9
        time.sleep(1)
    sys.exit("iperf3 fails")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("programs", nargs="*", default=["pasta"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--delay", type=float, action="append")
    options = parser.parse_args()
    print("| peer | program | the host's settings | podpy's |\n|---|---|---|---|")
    for delay in options.delay or [0.0]:
        with ExitStack() as ends:
            lab = Lab(ends, delay)
            peers = {f"{delay:g} ms each way": _REMOTE} if delay else {"veth": _REMOTE, "the host itself": _HOST}
            found: dict[tuple[str, str, str], list[float]] = {}
            for _ in range(options.rounds):
                for peer, target in peers.items():
                    for program in options.programs:
                        for name, settings in _SETTINGS.items():
                            speed = lab.measure(program, settings, target, options.seconds)
                            found.setdefault((peer, program, name), []).append(speed)
            for peer in peers:
                for program in options.programs:
                    cells = [found[peer, program, name] for name in _SETTINGS]
                    texts = [f"{min(c):.2f} / **{statistics.median(c):.2f}** / {max(c):.2f}" for c in cells]
                    print(f"| {peer} | {program.split('/')[-1]} | {' | '.join(texts)} |", flush=True)


if __name__ == "__main__":
    main()
