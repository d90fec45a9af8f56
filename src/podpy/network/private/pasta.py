"""pasta(1): a private network without privileges, from the host's sockets.

Which addresses the container has:

copied    pasta's own way, and Podman's: the host's address and routes, copied once, when it starts.
              169.254.1.1                            the name server: pasta forwards to the host's first one
              169.254.1.2                            the host, at the address that was copied
fixed     always the same ones, whatever the host's network is or becomes:
              10.0.2.100/24 (fd50:6f64:7079::100)    the container's own
              10.0.2.2      (fd50:6f64:7079::2)      the gateway; with --map-gw also the host's loopback
              10.0.2.3                               the name server
          pasta reads no routes then: its template is the loopback device, or, for IPv6, the interface with the default
          route (pasta wants a link-local address from it).

They are copied, unless the option `fixed` is given; or the host has no default route of IPv4 now, when there is nothing
to copy; or pasta is too old to give the host an address, which has the copied one otherwise. An option that concerns
addresses (`pasta:-i,eth0`, `pasta:-a,…`) is pasta's own way at any time.

pasta forks when it is ready: its first process ends then, so waiting is one waitpid.
"""

from __future__ import annotations

import os

from podpy import files, process
from podpy.errors import InUseError, NetworkSetupError, UsageError
from podpy.network import hostinfo, ports
from podpy.network.mode import FIXED
from podpy.plan import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.network.mode import Mode
    from podpy.spec.container import PortMapping

ADDRESS = "10.0.2.100"
GATEWAY = "10.0.2.2"
NAME_SERVER = "10.0.2.3"
COPIED_NAME_SERVER = "169.254.1.1"  # both are Podman's (podman-run(1), --network)
COPIED_HOST = "169.254.1.2"
ADDRESS_V6 = "fd50:6f64:7079::100"
GATEWAY_V6 = "fd50:6f64:7079::2"
_PREFIX = "24"
_INTERFACE = "eth0"
_HARDWARE_ADDRESS = "9a:55:9a:55:9a:55"  # the gateway's; the loopback device has none to copy, and old pasta wants one
_MOST_TRIES = 5
_ALL_V4, _ALL_V6 = "0.0.0.0", "::"

_ADDRESS_OPTIONS = frozenset(
    "-a --address -n --netmask -g --gateway -i --interface -o --outbound --outbound-if4 --outbound-if6"
    " -4 --ipv4-only -6 --ipv6-only -M --mac-addr -I --ns-ifname".split()
)
_PORT_OPTIONS = {"-t": "--tcp-ports", "-u": "--udp-ports", "-T": "--tcp-ns", "-U": "--udp-ns"}
_PID_OPTIONS = ("-P", "--pid")
_IMPOSSIBLE = frozenset("-f --foreground -h --help --version --netns --userns".split())


def with_addresses(mode: Mode, *, is_old: bool) -> Mode:
    """Return the mode with options that say which addresses: fixed ones, or copied ones with one for the host.

    `is_old`: podpy.network.programs. Raises UsageError for options with which pasta wouldn't connect this container.
    """
    given = _names(mode.options)
    _check(given)
    is_own_way = bool(given & _ADDRESS_OPTIONS)
    if FIXED in given or (not is_own_way and (is_old or not hostinfo.ipv4_interface())):
        return mode if FIXED in given else mode.replace(options=[FIXED, *mode.options])
    if is_old or "--map-guest-addr" in given:
        return mode
    return mode.replace(options=["--map-guest-addr", COPIED_HOST, *mode.options])


def command(mode: Mode, netns: str, pid_file: str, published: list[PortMapping], *, rootful: bool) -> list[str]:
    """Return pasta's command line. Its order is Podman's: ours, containers.conf's and the user's options, ports."""
    options = [option for option in mode.options if option not in ("--map-gw", FIXED)]
    given = _names(options)
    arguments = [mode.program, "--config-net"]
    if has_fixed_addresses(mode):
        arguments += _fixed_addresses()
    if "--dns-forward" not in given:
        arguments += ["--dns-forward", name_server(mode)]
    arguments += options
    used = set()
    for port in _joined(published):
        option = "-t" if port.protocol == "tcp" else "-u"
        used.add(option)
        arguments += [option, port_argument(port)]
    for short, long in _PORT_OPTIONS.items():
        if short not in given and long not in given and short not in used:
            arguments += [short, "none"]
    if "--map-gw" not in mode.options:
        arguments.append("--no-map-gw")
    if not given & {"-d", "--debug", "--trace"}:
        arguments.append("--quiet")
    if rootful:  # else it becomes nobody, who may not enter root's network namespace
        arguments += ["--runas", "0:0"]
    if not given.intersection(_PID_OPTIONS):
        arguments += ["--pid", pid_file]
    return [*arguments, "--netns", netns]


def options_for_bridges(options: list[str]) -> list[str]:
    """Return those of containers.conf's options that count for the way out of bridges, whose addresses are fixed: not
    those about addresses, interfaces, ports and pid files. Raises UsageError for those that can't be given at all.
    """
    _check(_names(options))
    known = {*_ADDRESS_OPTIONS, *_PID_OPTIONS, *_PORT_OPTIONS, *_PORT_OPTIONS.values(), "--dns-forward"}
    found = []
    is_value_of_known = False
    for option in options:
        if not option.startswith("-") and option != FIXED:
            found += [] if is_value_of_known else [option]
            continue
        is_value_of_known = option.partition("=")[0] in known
        if not is_value_of_known and option not in ("--map-gw", FIXED):
            found.append(option)
    return found if "--map-gw" in options else [*found, "--no-map-gw"]


def _check(given: set[str]) -> None:
    if given & _IMPOSSIBLE:
        raise UsageError(
            f"--network pasta: {', '.join(sorted(given & _IMPOSSIBLE))} can't be given: podpy starts pasta"
        )


def _names(options: list[str]) -> set[str]:
    return {option.partition("=")[0] for option in options}


def has_fixed_addresses(mode: Mode) -> bool:
    """Return whether the container has podpy's addresses: they were chosen, and no option says another way."""
    return FIXED in mode.options and not _names(mode.options) & _ADDRESS_OPTIONS


def name_server(mode: Mode) -> str:
    """Return the address at which pasta forwards to the host's name server."""
    chosen = NAME_SERVER if has_fixed_addresses(mode) else COPIED_NAME_SERVER
    return option_value(mode, "--dns-forward") or chosen


def own_address(mode: Mode) -> str:
    """Return the container's own address, IPv4 before IPv6; an empty text if it gets none from the host."""
    if has_fixed_addresses(mode):
        return ADDRESS
    given = option_value(mode, "-a", "--address")
    return given or hostinfo.address(option_value(mode, "-i", "--interface") or hostinfo.ipv4_interface())


def option_value(mode: Mode, *options: str) -> str:
    """Return the value of one of pasta's options (the last one given counts), or an empty text."""
    found = ""
    for place, option in enumerate(mode.options):
        name, equals, value = option.partition("=")
        if name in options:
            following = mode.options[place + 1] if place + 1 < len(mode.options) else ""
            found = value if equals else following
    return found


def host_address(mode: Mode) -> str:
    """Return the address by which the container reaches the host.

    Where the host's address was copied, it is the one that pasta maps to it. With fixed addresses it is the host's
    loopback device only if `--map-gw` was asked for, else the host's own address: services that listen on all
    addresses answer and those on the loopback device don't, as with Podman. Without a network it is the gateway, so
    that the name resolves always.
    """
    mapped = option_value(mode, "--map-guest-addr", "--map-host-loopback")
    if mapped:
        return "" if mapped == "none" else mapped
    gateway = option_value(mode, "-g", "--gateway") or (GATEWAY if has_fixed_addresses(mode) else "")
    if "--map-gw" in mode.options and gateway:
        return gateway
    return hostinfo.address() or gateway or GATEWAY


def port_argument(port: PortMapping) -> str:
    """Return a mapping as pasta writes it: [ADDRESS/]FIRST[-LAST]:FIRST[-LAST]."""
    address = f"{port.host_ip}/" if port.host_ip else ""
    if port.count == 1:
        return f"{address}{port.host_port}:{port.container_port}"
    last = port.count - 1
    host = f"{port.host_port}-{port.host_port + last}"
    return f"{address}{host}:{port.container_port}-{port.container_port + last}"


def _joined(published: list[PortMapping]) -> list[PortMapping]:
    """Return the ports with one that has no address for each pair on 0.0.0.0 and on ::.

    pasta opens it on both; that of before 2024 refuses the same number twice.
    """
    pairs = [
        port.replace(host_ip="")
        for port in published
        if port.host_ip == _ALL_V4 and port.replace(host_ip=_ALL_V6) in published
    ]
    others = [p for p in published if p.host_ip not in (_ALL_V4, _ALL_V6) or p.replace(host_ip="") not in pairs]
    return [*others, *pairs]


def _fixed_addresses() -> list[str]:
    interface = hostinfo.ipv6_interface()
    arguments = ["-i", interface or "lo", "-I", _INTERFACE, "-M", _HARDWARE_ADDRESS]
    arguments += ["-a", ADDRESS, "-n", _PREFIX, "-g", GATEWAY]
    return arguments + (["-a", ADDRESS_V6, "-g", GATEWAY_V6] if interface else ["-4"])


class StartPasta(Operation):
    """Choose the host ports and start pasta; it gets ready while the rest of the start goes on."""

    def __init__(self, mode: Mode, directory: str, published: list[PortMapping], *, rootful: bool) -> None:
        self.mode = mode
        self.netns = os.path.join(directory, "netns")
        self.pid_file = os.path.join(directory, "pasta.pid")
        self._users_pid_file = option_value(mode, *_PID_OPTIONS)
        self.wanted = published
        self.before: list[PortMapping] = []  # the last start's ports
        self.rootful = rootful
        self.bound: list[PortMapping] = []
        self._pid = 0
        self._messages = -1

    def describe(self) -> str:
        """Return the command line."""
        words = command(self.mode, self.netns, self.pid_file, self.bound or self.wanted, rootful=self.rootful)
        return "start " + " ".join(words)

    def execute(self) -> None:
        """Start it, and return at once. Raises InUseError, NetworkSetupError."""
        self.bound = ports.resolve(self.wanted, self.before)
        arguments = command(self.mode, self.netns, self.pid_file, self.bound, rootful=self.rootful)
        self._messages, theirs = process.pipe()
        try:
            self._pid = process.spawn(
                arguments,
                environment=process.tool_environment(),
                stdin=-1,
                stdout=-1,
                stderr=theirs,
                session=True,  # it lives as long as the container,
                deaf=True,  # which may need its network to end
            )
        finally:
            os.close(theirs)

    def wait(self) -> tuple[int, str]:
        """Return pasta's exit code (0: it is ready, in the background) and what it said."""
        if not self._pid:
            return 0, ""
        said = process.read_all(self._messages)
        code = process.wait(self._pid)
        self._pid, self._messages = 0, -1
        if code == 0 and self._users_pid_file:  # pasta writes one only
            files.replace(self.pid_file, files.read_small(self._users_pid_file))
        return code, said

    def lost_port(self) -> InUseError | None:
        """Return the error for a port on all addresses that pasta, which is ready, has for one kind of them alone.

        It is content with that: the other one is somebody else's, who was faster.
        """
        wide = [port for port in self.bound if port.host_ip in ("", _ALL_V4, _ALL_V6)]
        return ports.held_by_others(wide, self.pid_file) if wide else None

    def end(self) -> None:
        """End it when it is ready, and wait for that: another one gets its ports and its device."""
        from podpy.network.netns import end_helper

        end_helper(self.pid_file, self.netns)

    def abandon(self) -> None:
        """End it before it is ready."""
        if self._pid:
            os.kill(self._pid, 9)
            self.wait()


class WaitForPasta(Operation):
    """Wait until pasta is ready; try again with other ephemeral ports if somebody was faster."""

    def __init__(self, start: StartPasta) -> None:
        self.start = start

    def describe(self) -> str:
        """Return what is waited for."""
        return "wait until pasta is ready"

    def execute(self) -> None:
        """Wait. Raises InUseError, NetworkSetupError."""
        for attempt in range(_MOST_TRIES):
            code, said = self.start.wait()
            error = self.start.lost_port() if code == 0 else failure(code, said, self.start.bound)
            if error is None:
                return
            has_ephemeral = any(port.host_port == 0 for port in self.start.wanted)
            if not (code == 0 or _is_taken(said)) or not has_ephemeral or attempt + 1 == _MOST_TRIES:
                raise error
            if code == 0:
                self.start.end()
            self.start.execute()


def _is_taken(said: str) -> bool:
    # Debian 13's, Debian 12's, and that of 2026
    return any(words in said for words in ("bind port", "bind any port", "Address already in use"))


def failure(code: int, said: str, bound: list[PortMapping]) -> InUseError | NetworkSetupError:
    """Return the error for a pasta that didn't get ready: its own last line, and what mends it."""
    from podpy.network import doctor

    if _is_taken(said):
        try:
            ports.resolve(bound)  # says which, and who has it
        except (InUseError, NetworkSetupError) as error:
            return error
    return doctor.explain("pasta", code, said)
