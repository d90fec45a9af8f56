"""A host whose network changes, in namespaces of the test's own: two uplinks to one remote network, and a resolv.conf.

the host        up0 10.1.0.2/24 (gateway 10.1.0.1), up1 10.2.0.2/24 (gateway 10.2.0.1); no route until `route`
the remote      198.51.100.7: server.py on TCP 7000 tells a client which address it has; name servers, each of which
                answers every question with its own address
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.network.conftest import SERVER
from tests.support import wait
from tests.support.engine import Podpy, Result

REMOTE = "198.51.100.7"
PORT = 7000
NAME_SERVERS = ("198.51.100.53", "203.0.113.53")
NAMES = """
import select, socket, sys
servers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in sys.argv[1:]]
for server, address in zip(servers, sys.argv[1:]):
    server.bind((address, 53))
print("ready", flush=True)
while True:
    for server in select.select(servers, [], [])[0]:
        asked, client = server.recvfrom(4096)
        end = asked.index(0, 12) + 5
        is_ipv4 = asked[end - 4 : end - 2] == bytes([0, 1])
        answer = bytes([192, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]) + socket.inet_aton(server.getsockname()[0])
        counts = bytes([0, 1, 0, int(is_ipv4), 0, 0, 0, 0])
        server.sendto(asked[:2] + bytes([0x81, 0x80]) + counts + asked[12:end] + (answer if is_ipv4 else b""), client)
"""


class MovingHost:
    """The host and the remote; `podpy` runs on the host."""

    def __init__(self, podpy: Podpy, resolv_conf: Path) -> None:
        self._podpy = podpy
        self.resolv_conf = resolv_conf
        self._processes: list[subprocess.Popen[bytes]] = []
        bind = f"mount --bind {resolv_conf} $(realpath /etc/resolv.conf)"
        self._host = self._namespace(f"ip link set lo up; {bind}")
        self._remote = self._namespace("ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward")
        for number in (0, 1):
            subnet = f"10.{number + 1}.0"
            self.ip(f"link add up{number} type veth peer name up{number} netns {self._remote}")
            self.ip(f"addr add {subnet}.2/24 dev up{number}")
            self.ip(f"link set up{number} up")
            self.remote("ip", "addr", "add", f"{subnet}.1/24", "dev", f"up{number}")
            self.remote("ip", "link", "set", f"up{number}", "up")
        for address in (REMOTE, *NAME_SERVERS):
            self.remote("ip", "addr", "add", f"{address}/32", "dev", "lo")
        self.serve(SERVER, f"tcp:{PORT}")
        self.serve(NAMES, *NAME_SERVERS)

    def _namespace(self, script: str) -> int:
        command = ["unshare", "--net", "--mount", "sh", "-ec", f"{script}; echo ready; exec sleep infinity"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._processes.append(process)
        assert process.stdout is not None
        wait.for_text(process.stdout, b"ready")
        return process.pid

    def serve(self, script: str, *arguments: str, host: bool = False) -> subprocess.Popen[bytes]:
        """Run a Python script at the remote (`host`: on the host) until the end, and wait until it says "ready"."""
        command = ["nsenter", "-t", str(self._host if host else self._remote), "-n", sys.executable, "-c", script]
        process = subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._processes.append(process)
        assert process.stdout is not None
        wait.for_text(process.stdout, b"ready")
        return process

    def ip(self, words: str) -> None:
        """Change the host's network: ip(8)."""
        subprocess.run(["nsenter", "-t", str(self._host), "-n", "ip", *words.split()], check=True)

    def remote(self, *command: str) -> str:
        """Run a command at the remote and return its output."""
        inside = ["nsenter", "-t", str(self._remote), "-n", *command]
        return subprocess.run(inside, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout

    def route(self, number: int) -> None:
        """Give the host its default route by this uplink."""
        self.ip(f"route replace default via 10.{number + 1}.0.1 dev up{number}")

    def name_server(self, address: str) -> None:
        """Give the host this name server."""
        self.resolv_conf.write_text(f"nameserver {address}\n")

    def podpy(self, *args: str) -> Result:
        """Run podpy on this host."""
        user = self._podpy.user
        drop = ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups"]
        command = ["nsenter", "-t", str(self._host), "-n", "-m", *drop, *self._podpy.command(*args)]
        done = subprocess.run(command, env=self._podpy.environment(), capture_output=True, text=True, timeout=120)
        return Result(command, done.returncode, done.stdout, done.stderr)

    def asked(self, container: str, address: str = REMOTE) -> str:
        """Return the address of the host at which the remote sees the container; "" if it doesn't get there."""
        answer = self.podpy("exec", container, "nc", "-w", "10", address, str(PORT)).stdout
        return answer.rpartition("from ")[2].removeprefix("::ffff:")

    def resolved(self, container: str) -> str:
        """Return which of the name servers has answered the container; "" if none has."""
        said = self.podpy("exec", container, "nslookup", "-type=a", "some.example").stdout
        return next((server for server in (*NAME_SERVERS, "127.0.0.53") if f"Address: {server}\n" in said), "")

    def client(self, address: str, port: int) -> str:
        """Return what a published port answers to a client at the remote."""
        script = f"import socket; print(socket.create_connection(('{address}', {port}), 60).recv(1000).decode())"
        return self.remote(sys.executable, "-c", script).strip()

    def close(self) -> None:
        """End it; its namespaces go with their last process."""
        for process in self._processes:
            process.kill()
            process.communicate()


@contextmanager
def moving_host(podpy: Podpy) -> Iterator[MovingHost]:
    """Give podpy, whose images are loaded, a host that moves."""
    podpy.ok("system", "migrate")  # its next call is made on that host, with that host's resolv.conf
    with tempfile.NamedTemporaryFile(dir="/tmp", suffix=".resolv.conf") as file:
        Path(file.name).chmod(0o644)
        host = MovingHost(podpy, Path(file.name))
        try:
            yield host
        finally:
            podpy("rm", "-f", "-a", "-t", "0")
            host.close()
