"""podpy-forward: brings the clients of a container's published ports to it, with their own addresses.

One process for each container that publishes ports on user networks (src/conmon_c/forward). It has the listeners from
podpy.network.bridge.listeners, and lives in the users' shared network namespace, where it connects to the container.
In the container's run directory:

    netns           its unlink, at the container's end, ends the forwarder
    forward.pid     its pid
    forward.sock    its control socket: listeners come and go, the container's addresses change

A start is `BindPorts`, the container's links, `StartForwarder`, and at last `WaitForForwarder`. A forwarder that has
died (`is_alive`) is started the same way again, by `network reload`.
"""

from __future__ import annotations

import os

from podpy import files, process
from podpy.errors import NetworkSetupError
from podpy.network import netns
from podpy.network.bridge import listeners
from podpy.plan import Operation
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.network.bridge.listeners import BindPorts, Listener
    from podpy.spec.container import PortMapping

NAME = "podpy-forward"
PID_FILE = "forward.pid"
SOCKET = "forward.sock"
_PATIENCE = 10.0  # seconds for an answer
_MOST_ANSWER = 512


class Target(Record):
    """Where the forwarder leads to: the container's addresses, "" for none.

    The gateways are the bridge's own addresses: the server sees these as the clients' where the real ones can't be
    kept. That is so for the host's loopback device, for IPv6 clients of a container without an IPv6 address, and for
    all without `keeps_clients`: the kernel has no nft_socket, or the container no route to the outside.
    """

    v4: str = ""
    v6: str = ""
    gateway_v4: str = ""
    gateway_v6: str = ""
    keeps_clients: bool = True

    def as_text(self) -> str:
        """Return it as podpy-forward reads it."""
        words = (self.v4, self.v6, self.gateway_v4, self.gateway_v6, "real" if self.keeps_clients else "gateway")
        return " ".join(word or "-" for word in words)


class StartForwarder(Operation):
    """Start podpy-forward with the sockets that `binding` has bound; it gets ready while the rest goes on.

    `target` and `shared` (a descriptor of the bridges' network namespace; -1: this process's own) are known when the
    container's links are made, and set before `execute`.
    """

    def __init__(self, directory: str, binding: BindPorts) -> None:
        self.directory = directory
        self.binding = binding
        self.target = Target()
        self.shared = -1
        self.program = process.own_program("forward")
        self._pid = 0
        self._ready = -1

    def describe(self) -> str:
        """Return what is started."""
        to = f", to {self.target.as_text()}" if self.target != Target() else ""  # known when the links are made
        return f"start {NAME} for the host ports {self.binding.places}{to}"

    def execute(self) -> None:
        """Start it, and return at once. The sockets are its own then."""
        control = listen(self.directory)
        try:
            self._ready, theirs = process.pipe()
            try:
                self._pid = self._spawn(control, theirs)
            finally:
                os.close(theirs)
        finally:
            os.close(control)
            self.binding.close()

    def _spawn(self, control: int, ready: int) -> int:
        netns_path = os.path.join(self.directory, netns.NETNS)
        arguments = [self.program, "--netns", netns_path, "--target", self.target.as_text()]
        keep = [control, ready, *(listener.descriptor for listener in self.binding.listeners)]
        arguments += ["--ready", str(ready), "--control", str(control)]
        if self.shared >= 0:
            arguments += ["--enter", str(self.shared)]
            keep.append(self.shared)
        arguments += [f"{one.descriptor} {one.protocol} {one.container_port}" for one in self.binding.listeners]
        return process.spawn(
            arguments,
            environment={},
            stdin=-1,
            stdout=-1,
            stderr=-1,
            keep=keep,
            session=True,
            deaf=True,  # as pasta (podpy.network.private.pasta)
            name=NAME,
        )

    def wait(self) -> None:
        """Return when it is ready. Raises NetworkSetupError with what it said if it isn't."""
        if not self._pid:
            return
        said = process.read_all(self._ready)
        process.wait(self._pid)  # it goes on in the background
        self._pid, self._ready = 0, -1
        if not said.isdigit():
            from podpy.network.programs import hint_for

            raise NetworkSetupError(f"{NAME}: {said or 'it ended at once'}", hint=hint_for(said))
        files.replace(os.path.join(self.directory, PID_FILE), said)

    def abandon(self) -> None:
        """Let go of what was bound or started. The unlink of `netns` ends a forwarder."""
        self.binding.close()
        if self._pid:
            process.read_all(self._ready)
            process.wait(self._pid)
            self._pid, self._ready = 0, -1


class WaitForForwarder(Operation):
    """Wait until podpy-forward is ready."""

    def __init__(self, start: StartForwarder) -> None:
        self.start = start

    def describe(self) -> str:
        """Return what is waited for."""
        return f"wait until {NAME} is ready"

    def execute(self) -> None:
        """Wait. Raises NetworkSetupError."""
        self.start.wait()


def listen(directory: str) -> int:
    """Return a new control socket in a run directory: only this user's processes may speak to it."""
    import _socket as socket

    files.unlink(os.path.join(directory, SOCKET))
    made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    try:
        folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        old = os.umask(0o177)
        try:
            made.bind(_address(folder))
        finally:
            os.umask(old)
            os.close(folder)
        made.listen(8)
        return listeners.above_streams(made)
    finally:
        made.close()


def _address(folder: int) -> str:
    """Return the control socket's address: a run directory's path is too long for one (unix(7): 108 bytes)."""
    return f"/proc/self/fd/{folder}/{SOCKET}"


class Conversation:
    """Requests to a running forwarder; use with `with`. Raises NetworkSetupError if there is none, or it refuses."""

    def __init__(self, directory: str) -> None:
        import _socket as socket

        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
            try:
                self._socket.settimeout(_PATIENCE)
                self._socket.connect(_address(folder))
            finally:
                os.close(folder)
        except OSError as error:
            self._socket.close()
            raise NetworkSetupError(
                f"the forwarder of the published ports isn't running: {error.strerror}", hint="podpy network reload"
            ) from error

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: str, descriptor: int = -1) -> str:
        """Return the answer, without its `ok`; a descriptor can go along."""
        import _socket as socket

        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptor.to_bytes(4, "little"))] if descriptor >= 0 else []
        try:
            self._socket.sendmsg([request.encode()], rights)
            answer = self._socket.recv(_MOST_ANSWER).decode("utf-8", "replace")
        except OSError as error:
            raise NetworkSetupError(
                f"the forwarder of the published ports doesn't answer: {error.strerror or error}",
                hint="podpy network reload",
            ) from error
        word, _, rest = answer.partition(" ")
        if word != "ok":
            raise NetworkSetupError(f"the forwarder of the published ports: {rest or 'it has ended'}")
        return rest


def is_alive(directory: str) -> bool:
    """Return whether the container with this run directory has a running forwarder."""
    try:
        with Conversation(directory):
            return True
    except NetworkSetupError:
        return False


def publish(directory: str, made: list[Listener]) -> None:
    """Give bound sockets to the running forwarder: all, or none if one is refused. They stay open here, too."""
    with Conversation(directory) as forwarder:
        done: list[Listener] = []
        try:
            for one in made:
                forwarder.ask(f"add {one.protocol} {one.container_port}", one.descriptor)
                done.append(one)
        except NetworkSetupError:
            for one in done:
                forwarder.ask(f"remove {one.protocol} {one.host_ip} {one.host_port}")
            raise


def unpublish(directory: str, bound: list[PortMapping]) -> None:
    """Let the running forwarder close the listeners of these mappings. One that it doesn't have is no error."""
    with Conversation(directory) as forwarder:
        for port in bound:
            for address, number in listeners.addresses(port):
                try:
                    forwarder.ask(f"remove {port.protocol} {address} {number}")
                except NetworkSetupError as error:
                    if "nothing listens there" not in error.message:
                        raise


def retarget(directory: str, target: Target) -> None:
    """Tell the running forwarder the container's new addresses. Connections to those that it had are reset."""
    with Conversation(directory) as forwarder:
        forwarder.ask(f"target {target.as_text()}")


def status(directory: str) -> dict[str, int]:
    """Return how many `listeners`, `connections` (TCP) and `flows` (UDP clients) the running forwarder has."""
    with Conversation(directory) as forwarder:
        words = forwarder.ask("status").split()
    return {name: int(count) for name, count in zip(words[::2], words[1::2], strict=True)}
