"""What `--network` says: which kind of network, and its options.

    none                       a namespace with the loopback device only; the OCI runtime makes it
    host                       the host's own
    pasta[:option[,option]]    a private one, connected by pasta(1); options are pasta's, as in Podman
    slirp4netns[:key=value,…]  a private one, connected by slirp4netns(1); options as in Podman
    bridge                     on networks that other containers are on, too (the specification's `networks`)
    container:NAME, ns:PATH    somebody else's (podpy.libpod joins them)
    private, default, ""       private: pasta where it is installed, else slirp4netns; and slirp4netns where pasta is
                               too old (podpy.network.programs.is_old), nobody chose it, and no UDP or IPv6 port is
                               published: slirp4netns has no IPv6 ones, and its UDP ones don't answer the host's
                               loopback device

Rule: podman-run(1), --network.
"""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError
from podpy.record import Record
from podpy.rootless.programs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.containers_conf import ContainersConf
    from podpy.spec.container import ContainerSpec

NONE = "none"
HOST = "host"
PASTA = "pasta"
SLIRP4NETNS = "slirp4netns"
CONTAINER = "container"
PATH = "ns"
BRIDGE = "bridge"

_WITH_OPTIONS = (PASTA, SLIRP4NETNS)
_PRIVATE = ("", "private", "default")


class Mode(Record):
    """A kind of network and what stood after its colon: options, or the name or path of what is joined."""

    kind: str
    options: list[str] = []
    target: str = ""
    program: str = ""  # the path of pasta or slirp4netns

    @property
    def is_private(self) -> bool:
        """Whether podpy makes the namespace and connects it."""
        return self.kind in _WITH_OPTIONS or self.kind == BRIDGE


def parse(text: str, conf: ContainersConf) -> Mode:
    """Return what the value of `--network` means.

    Raises UsageError for a value that makes no sense, NotSupportedError if neither pasta nor slirp4netns is installed.
    """
    kind, colon, rest = text.partition(":")
    if kind in _PRIVATE:
        return _default(text, colon, conf)
    if kind in (NONE, HOST):
        if colon:
            raise UsageError(f"--network {text}: {kind} takes no options")
        return Mode(kind=kind)
    if kind in (CONTAINER, PATH):
        if not rest:
            what = "a container's name" if kind == CONTAINER else "a path"
            raise UsageError(f"--network {text}: {what} must follow the colon")
        return Mode(kind=kind, target=rest)
    if kind in _WITH_OPTIONS:
        return _with_program(kind, [option for option in rest.split(",") if option], conf)
    if text == BRIDGE:
        return Mode(kind=BRIDGE)
    raise UsageError(f"invalid network mode {text}", hint="Networks are named beside the mode bridge")


def _default(text: str, colon: str, conf: ContainersConf) -> Mode:
    if colon:
        raise UsageError(f"--network {text}: ip=, mac= and other options need a bridge network")
    wanted = conf.default_rootless_network_cmd
    if wanted == SLIRP4NETNS:
        return _with_program(SLIRP4NETNS, [], conf)
    if _find(PASTA, conf):
        return _with_program(PASTA, [], conf)
    program = _find(SLIRP4NETNS, conf)
    if program:
        return Mode(kind=SLIRP4NETNS, options=list(conf.network_cmd_options), program=program)
    raise _not_installed("neither pasta nor slirp4netns is installed")


def check(spec: ContainerSpec, found: Mode) -> None:
    """Refuse options that exclude each other. Raises UsageError."""
    if found.kind not in (CONTAINER, PATH):
        return
    clashing = {
        "-p": spec.ports or spec.publish_all,
        "--dns": spec.dns,
        "--dns-search": spec.dns_search,
        "--dns-option": spec.dns_options,
        "--add-host": spec.add_hosts,
    }
    for option, given in clashing.items():
        if given and (found.kind == CONTAINER or option == "-p"):
            raise UsageError(
                f"conflicting options: {option} and --network {spec.network}",
                hint="Give it to the container whose network is joined",
            )


def instead_of_old_pasta(text: str, found: Mode, conf: ContainersConf, cache: str) -> Mode:
    """Return slirp4netns where pasta is too old, nobody chose it, and slirp4netns is installed; else what was found."""
    if text not in _PRIVATE or conf.pasta_options:
        return found
    from podpy.network.programs import is_old

    program = _find(SLIRP4NETNS, conf)
    if not program or not is_old(found.program, cache):
        return found
    return Mode(kind=SLIRP4NETNS, options=list(conf.network_cmd_options), program=program)


def _with_program(kind: str, options: list[str], conf: ContainersConf) -> Mode:
    program = _find(kind, conf)
    if not program:
        raise _not_installed(f"{kind} isn't installed")
    from_file = conf.pasta_options if kind == PASTA else conf.network_cmd_options
    return Mode(kind=kind, options=[*from_file, *options], program=program)


def _find(kind: str, conf: ContainersConf) -> str:
    if kind == SLIRP4NETNS and conf.network_cmd_path:
        return conf.network_cmd_path
    return which(kind)


def _not_installed(what: str) -> NotSupportedError:
    return NotSupportedError(
        f"the container's network can't be connected: {what}",
        hint="sudo apt install passt (or dnf install passt); or use --network host or none",
    )
