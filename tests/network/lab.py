"""Network namespaces of a test's own, in a user namespace of its own: a host, clients elsewhere, bridges, a container.

    remote  192.0.2.1, 198.51.100.7, 2001:db8:9::7  ──  host  192.0.2.10, 2001:db8::10
    shared  podman1: 10.89.0.1, fd00:89::1          ──  container  10.89.0.2, fd00:89::2 (and .3)

One process makes them and lives in them (`python -m tests.network.lab`). It answers requests: a socket in one of the
namespaces, which then works everywhere; a function that is called there; a command.
"""

from __future__ import annotations

import array
import importlib
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from podpy import linux
from podpy.network.bridge import firewall, routes
from podpy.network.bridge.netlink import Netlink
from tests.support import wait
from tests.support.engine import CHECKOUT

T = TypeVar("T")
NAMES = ("remote", "host", "shared", "container")

REMOTE, REMOTE_OTHER, REMOTE_V6 = "192.0.2.1", "198.51.100.7", "2001:db8:9::7"
HOST, HOST_OTHER, HOST_V6 = "192.0.2.10", "203.0.113.10", "2001:db8::10"
GATEWAY, GATEWAY_V6 = "10.89.0.1", "fd00:89::1"
SERVER, SERVER_OTHER, SERVER_V6 = "10.89.0.2", "10.89.0.3", "fd00:89::2"

# Where, and what ip(8) is told there.
LINKS = (
    (
        "host",
        f"""
link set lo up
link add up0 type veth peer name eth0 netns remote
link set up0 up
addr add {HOST}/24 dev up0
addr add {HOST_OTHER}/32 dev up0
addr add {HOST_V6}/64 dev up0 nodad
route add 198.51.100.0/24 via {REMOTE}
""",
    ),
    ("host", "-6 route add 2001:db8:9::/64 via 2001:db8::1"),
    (
        "remote",
        f"""
link set lo up
link set eth0 up
addr add {REMOTE}/24 dev eth0
addr add {REMOTE_OTHER}/24 dev eth0
addr add 2001:db8::1/64 dev eth0 nodad
addr add {REMOTE_V6}/64 dev eth0 nodad
route add {HOST_OTHER}/32 via {HOST}
""",
    ),
    (
        "shared",
        f"""
link set lo up
link add podman1 mtu 65520 type bridge
link set podman1 up
addr add {GATEWAY}/24 dev podman1
addr add {GATEWAY_V6}/64 dev podman1 nodad
link add veth1 mtu 65520 type veth peer name eth0 mtu 65520 netns container
link set veth1 master podman1 up
""",
    ),
    (
        "container",
        f"""
link set lo up
link set eth0 up
addr add {SERVER}/24 dev eth0
addr add {SERVER_V6}/64 dev eth0 nodad
route add default via {GATEWAY}
""",
    ),
    ("container", f"route add default via {GATEWAY_V6}"),
)


class Lab:
    """The namespaces, as the test sees them; use with `with`."""

    def __init__(self, arguments: dict[str, object]) -> None:
        """`arguments`: what subprocess.Popen needs to run something as the test's user."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        command = [
            "unshare",
            "--user",
            "--map-root-user",
            "--net",
            "--mount",
            sys.executable,
            "-m",
            "tests.network.lab",
        ]
        environment = {**os.environ, "PYTHONPATH": f"{CHECKOUT}:{CHECKOUT}/src", "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            [*command, str(theirs.fileno())],
            cwd=CHECKOUT,
            env=environment,
            pass_fds=[theirs.fileno()],
            **arguments,  # type: ignore[call-overload]
        )
        theirs.close()
        self._descriptors: list[int] = []
        self.ask("ready")

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self.process.wait(wait.PATIENCE)

    def ask(self, kind: str, *arguments: object) -> Any:
        """Send a request and return the answer. Raises what it raised there."""
        self._socket.sendall(pickle.dumps((kind, arguments)))
        data, descriptors, _, _ = socket.recv_fds(self._socket, 1 << 18, 4)
        assert data, "the lab has ended"
        answer = pickle.loads(data)
        if isinstance(answer, BaseException):
            raise answer
        self._descriptors = descriptors
        return answer

    def open_socket(self, name: str, *, v6: bool = False, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """Return a new socket in a namespace; it waits a minute at most."""
        self.ask("socket", name, socket.AF_INET6 if v6 else socket.AF_INET, kind)
        made = socket.socket(fileno=self._descriptors[0])
        made.settimeout(wait.PATIENCE)
        return made

    def bound(self, name: str, address: str, port: int = 0, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """Return a new socket with an address."""
        made = self.open_socket(name, v6=":" in address, kind=kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
        return made

    def run(self, name: str, *command: str, given: str = "") -> str:
        """Run a command in a namespace and return what it said. Raises CalledProcessError."""
        return str(self.ask("run", name, command, given))

    def call(self, name: str, function: Callable[..., T], *arguments: object) -> T:
        """Call a function of a module (by its name) in the namespace, with arguments that can be pickled."""
        found: T = self.ask("call", name, function.__module__, function.__qualname__, arguments)
        return found


def _run(command: list[str], given: str = "") -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr}")
    return done.stdout


def _of(family: str, lines: str) -> list[str]:
    """Return the lines that are about IPv6, or those that aren't."""
    wanted = [
        line for line in lines.strip().splitlines() if ("::" in line or line.startswith("-6 ")) == (family == "-6")
    ]
    return [line.removeprefix("-6 ") for line in wanted]


class _Agent:
    """The process that lives in the namespaces."""

    def __init__(self) -> None:
        _run(["mount", "-t", "tmpfs", "tmpfs", "/run"])
        Path("/run/netns").mkdir()
        for name in NAMES:
            linux.make_netns(f"/run/netns/{name}", neighbours=name != "shared", router=name == "shared")
        self.namespaces = {name: namespace(name) for name in NAMES}
        for name, lines in LINKS:
            self.enter(name)
            for family in ("-4", "-6"):
                _run(["ip", family, "-batch", "-"], "\n".join(_of(family, lines)))
        shared = self.namespaces["shared"]
        assert firewall.load(shared), "this kernel has nft_socket"
        firewall.allow(shared, firewall.pairs("podman1"))
        with Netlink.open(shared) as rt:
            routes.loop_back(rt, firewall.MARK, 100)

    def enter(self, name: str) -> None:
        """Be in this namespace from now on."""
        linux.setns(self.namespaces[name], linux.CLONE_NEWNET)

    def answer(self, kind: str, arguments: tuple[Any, ...]) -> tuple[object, list[int]]:
        """Return the answer to a request, and descriptors."""
        if kind == "ready":
            return None, []
        self.enter(arguments[0])
        if kind == "socket":
            return None, [socket.socket(arguments[1], arguments[2]).detach()]
        if kind == "run":
            return _run(list(arguments[1]), arguments[2]), []
        function: Any = importlib.import_module(arguments[1])
        for name in arguments[2].split("."):
            function = getattr(function, name)
        return function(*arguments[3]), []

    def serve(self, caller: socket.socket) -> None:
        """Answer until the test hangs up."""
        while data := caller.recv(1 << 18):
            descriptors: list[int] = []
            try:
                answer, descriptors = self.answer(*pickle.loads(data))
            except Exception as error:
                answer = error
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
            caller.sendmsg([pickle.dumps(answer)], rights)
            for descriptor in descriptors:
                os.close(descriptor)


def namespace(name: str) -> int:
    """Return a descriptor of a namespace, for functions that are called in the lab."""
    return os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)


if __name__ == "__main__":
    _Agent().serve(socket.socket(fileno=int(sys.argv[1])))
