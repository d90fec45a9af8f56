"""slirp4netns(1): the private network where pasta isn't installed. Same addresses as with pasta (IPv4).

It stays in the foreground, writes a byte to a descriptor when it is ready, and doesn't notice that its namespace has
gone: its pid is recorded, and teardown ends it. Ports are added through its control socket (slirp4netns(1), API
SOCKET).
"""

from __future__ import annotations

import os

from podpy import fastjson, process
from podpy.errors import InUseError, NetworkSetupError, UsageError
from podpy.network import ports
from podpy.network.netns import api_socket
from podpy.network.private.pasta import ADDRESS, GATEWAY, NAME_SERVER
from podpy.plan import Operation
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.network.mode import Mode
    from podpy.spec.container import PortMapping

_MTU = "65520"
_MOST_TRIES = 5  # for a port that may be any
_OFFSETS = (100, 2, 3)  # of the container, the gateway and the name server in the network (slirp4netns(1))
_FLAGS = {  # Podman's option → slirp4netns's, and the value that turns it on (podman-run(1))
    "enable_ipv6": ("--enable-ipv6", "true"),
    "allow_host_loopback": ("--disable-host-loopback", "false"),
}
_VALUES = {"mtu": "--mtu", "cidr": "--cidr", "outbound_addr": "--outbound-addr", "outbound_addr6": "--outbound-addr6"}
_ADDRESSES = ("cidr", "enable_ipv6")
_DEFAULTS = {"enable_ipv6": "true", "allow_host_loopback": "false", "mtu": _MTU}


def command(mode: Mode, netns: str, socket: str, ready: int) -> list[str]:
    """Return slirp4netns's command line; `ready` is the descriptor that it writes to when it is.

    Raises UsageError for options that it doesn't have.
    """
    arguments = [
        mode.program,
        "--configure",
        "--enable-sandbox",
        "--enable-seccomp",
        *_arguments(mode.options, _DEFAULTS),
    ]
    return [*arguments, f"--api-socket={socket}", f"--ready-fd={ready}", "--netns-type=path", netns, "tap0"]


def options_for_bridges(options: list[str]) -> list[str]:
    """Return the arguments of containers.conf's options for the way out of bridges, whose addresses are fixed, and
    IPv4's. Raises UsageError as `command`.
    """
    kept = [option for option in options if option.partition("=")[0] not in _ADDRESSES]
    return _arguments(kept, {name: value for name, value in _DEFAULTS.items() if name not in _ADDRESSES})


def _arguments(options: list[str], defaults: dict[str, str]) -> list[str]:
    settings = dict(defaults)
    for option in options:
        name, _, value = option.partition("=")
        if name == "port_handler":
            if value not in ("slirp4netns", "rootlesskit"):
                raise UsageError(f"--network slirp4netns:{option}: port_handler is slirp4netns or rootlesskit")
            continue
        if name not in _FLAGS and name not in _VALUES:
            known = ", ".join(sorted([*_FLAGS, *_VALUES, "port_handler"]))
            raise UsageError(f'--network slirp4netns: unknown option "{option}"', hint=f"Options: {known}")
        settings[name] = value
    arguments = []
    for name, value in settings.items():
        if name in _FLAGS:
            flag, turns_on = _FLAGS[name]
            if value not in ("true", "false"):
                raise UsageError(f"--network slirp4netns:{name}={value}: it is true or false")
            arguments += [flag] if value == turns_on else []
        else:
            arguments.append(f"{_VALUES[name]}={value}")
    return arguments


class Addresses(Record):
    """The addresses in a network of slirp4netns(1)."""

    own: str = ADDRESS
    gateway: str = GATEWAY
    name_server: str = NAME_SERVER


def addresses(mode: Mode) -> Addresses:
    """Return the addresses of the network that `cidr=` asks for: slirp4netns counts them from the network's own.

    Raises UsageError for a text that is none.
    """
    cidr = next((option[5:] for option in reversed(mode.options) if option.startswith("cidr=")), "")
    if not cidr:
        return Addresses()
    import _socket as socket

    text, _, length = cidr.partition("/")
    try:
        number = int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
        base = number >> 32 - int(length) << 32 - int(length)
        own, gateway, name_server = (
            socket.inet_ntop(socket.AF_INET, (base + offset).to_bytes(4, "big")) for offset in _OFFSETS
        )
    except (OSError, ValueError, OverflowError):
        raise UsageError(f"--network slirp4netns:cidr={cidr}: it is a network as 10.0.2.0/24") from None
    return Addresses(own=own, gateway=gateway, name_server=name_server)


class StartSlirp(Operation):
    """Start slirp4netns; it gets ready while the rest of the start goes on."""

    def __init__(self, mode: Mode, directory: str, published: list[PortMapping]) -> None:
        self.mode = mode
        self.addresses = addresses(mode)
        self.netns = os.path.join(directory, "netns")
        self.pid_file = os.path.join(directory, "slirp4netns.pid")
        self.socket = api_socket(directory)
        self.wanted = published
        self.before: list[PortMapping] = []
        self.bound: list[PortMapping] = []
        self._pid = 0
        self._ready = -1
        self._messages = -1

    def describe(self) -> str:
        """Return the command line."""
        return "start " + " ".join(command(self.mode, self.netns, self.socket, 3))

    def execute(self) -> None:
        """Start it, and return at once. Raises InUseError, NetworkSetupError."""
        self.bound = ports.resolve(self.wanted, self.before)
        self._ready, ready = process.pipe()
        self._messages, messages = process.pipe()
        try:
            self._pid = process.spawn(
                command(self.mode, self.netns, self.socket, ready),
                environment=process.tool_environment(),
                stdin=-1,
                stdout=messages,
                stderr=messages,
                keep=[ready],
                session=True,  # it lives as long as the container,
                deaf=True,  # which may need its network to end
            )
        finally:
            os.close(ready)
            os.close(messages)
        with open(self.pid_file, "w", encoding="utf-8") as file:
            file.write(str(self._pid))

    def wait(self) -> None:
        """Wait until it is ready. Raises NetworkSetupError."""
        if os.read(self._ready, 1):
            os.close(self._ready)
            os.close(self._messages)
            self._ready = self._messages = -1
            return
        from podpy.network import doctor

        said = process.read_all(self._messages)
        code = process.wait(self._pid)
        self._pid, self._messages = 0, -1
        raise doctor.explain("slirp4netns", code, said)

    def abandon(self) -> None:
        """End it."""
        if self._pid:
            os.kill(self._pid, 9)
            os.waitpid(self._pid, 0)
            self._pid = 0


class WaitForSlirp(Operation):
    """Wait until slirp4netns is ready and add the published ports."""

    def __init__(self, start: StartSlirp) -> None:
        self.start = start

    def describe(self) -> str:
        """Return what is waited for."""
        return "wait until slirp4netns is ready, and add the published ports"

    def execute(self) -> None:
        """Wait. Raises NetworkSetupError, InUseError."""
        self.start.wait()
        for place, wanted in enumerate(self.start.wanted):
            if wanted.host_port:
                port = self.start.bound[place]
                for offset in range(port.count):
                    self._forward(port, offset)
            else:
                self._forward_ephemeral(place, wanted)

    def _forward_ephemeral(self, place: int, wanted: PortMapping) -> None:
        """Forward a port that may be any: another one if somebody was faster since it was looked for."""
        for attempt in range(_MOST_TRIES):
            try:
                self._forward(self.start.bound[place], 0)
            except InUseError:
                if attempt + 1 == _MOST_TRIES:
                    raise
                self.start.bound[place] = ports.resolve([wanted])[0]
            else:
                return

    def _forward(self, port: PortMapping, offset: int) -> None:
        arguments = {
            "proto": port.protocol,
            "host_addr": port.host_ip or "0.0.0.0",
            "host_port": port.host_port + offset,
            "guest_addr": self.start.addresses.own,
            "guest_port": port.container_port + offset,
        }
        answer = _ask(self.start.socket, {"execute": "add_hostfwd", "arguments": arguments})
        if "error" in answer:
            shown = f"{arguments['host_addr']}:{arguments['host_port']}/{port.protocol}"
            reason = answer["error"].get("desc", "refused") if isinstance(answer["error"], dict) else answer["error"]
            raise InUseError(f"slirp4netns can't publish {shown}: {reason}", hint="Choose another host port")


def _ask(path: str, request: dict[str, object]) -> dict[str, dict[str, str]]:
    import _socket as socket

    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC, 0)
    try:
        connection.connect(path)
        connection.send(fastjson.dumps(request).encode())
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(4096):
            parts.append(part)
    except OSError as error:
        raise NetworkSetupError(f"slirp4netns doesn't answer at {path}: {error.strerror}") from error
    finally:
        connection.close()
    answer: dict[str, dict[str, str]] = fastjson.loads(b"".join(parts))
    return answer
