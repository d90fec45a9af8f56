"""What `--network` says: which kind of network, and its options.

    none                       a namespace with the loopback device only; the OCI runtime makes it
    host                       the host's own
    pasta[:option[,option]]    a private one, connected by pasta(1); options are pasta's, as in Podman, and `fixed`
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

FIXED = "fixed"  # an option of podpy's own, for pasta: see podpy.network.private.pasta

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
    if found.kind not in (CONTAINER, PATH, NONE):
        return
    hint = "Give it to the container whose network is joined"
    if found.kind == PATH and (spec.ports or spec.publish_all):
        raise UsageError(f"conflicting options: -p and --network {spec.network}", hint=hint)
    if found.kind == CONTAINER and spec.add_hosts:
        raise UsageError(
            "invalid config provided: cannot set extra host entries when the container is joined to another containers"
            " network namespace: invalid configuration",
            hint=hint,
        )
    if found.kind in (NONE, CONTAINER) and (spec.dns not in ([], ["none"]) or spec.dns_search or spec.dns_options):
        raise UsageError(
            f"conflicting options: dns and the network mode: {found.kind}", hint=hint if found.kind != NONE else ""
        )


def instead_of_old_pasta(text: str, found: Mode, conf: ContainersConf) -> Mode:
    """Return slirp4netns for a pasta that is too old, if nobody chose it and slirp4netns is installed."""
    if text not in _PRIVATE or any(option != FIXED for option in conf.pasta_options):
        return found
    program = _find(SLIRP4NETNS, conf)
    if not program:
        return found
    return Mode(kind=SLIRP4NETNS, options=list(conf.network_cmd_options), program=program)


def is_new_pasta(found: Mode, cache: str) -> bool:
    """Return whether it is a pasta that isn't old (podpy.network.programs.is_old)."""
    from podpy.network.programs import is_old

    return found.kind == PASTA and not is_old(found.program, cache)


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
