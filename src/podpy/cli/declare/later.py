"""Podman's other commands: known by name, so that the answer is a reason and not "unknown command"."""

from __future__ import annotations

from podpy.cli.declare.model import Argument, Command, flag, many, text

_LATER = "comes with a later version of podpy"
GROUPS = {
    "pod": "Pods: a later version makes them",
}

_POD = tuple("clone create inspect kill logs pause prune restart rm start stats stop top unpause".split())
_CRIU = "checkpointing and restoring a container requires root, and podpy doesn't do it there, either"
_SCP = "copies nothing: podpy save IMAGE | ssh USER@HOST podman load (on this host: sudo -iu USER podpy load)"
_SIGN = "makes no signatures, podpy only verifies them: skopeo standalone-sign, or podman image sign"
_REMOTE = "is for other machines: podpy is an engine for this one"

_WORDS: dict[str, tuple[str, ...]] = {
    _LATER: (
        "build",
        "auto-update",
        "compose",
        "image build",
        "system service",
        *(f"pod {name}" for name in _POD),
        "kube apply",
        "kube down",
        "kube play",
        "play",
        "generate systemd",
        "quadlet",
        "buildx",
    ),
    _CRIU: ("container checkpoint", "container restore"),
    _SCP: ("image scp",),
    _SIGN: ("image sign",),
    _REMOTE: ("remote", "machine", "farm", "system connection"),
}

_LIST = (
    many("--filter -f", "KEY=VALUE", "Only those for which this is true (repeatable)"),
    text("--format", "TEMPLATE", "Print this Go template for each of them"),
    flag("--no-trunc", "Whole ids"),
    flag("--noheading -n", "Don't print the heading"),
    flag("--quiet -q", "Print only names"),
)
_NAME = (Argument(name="name", metavar="NAME"),)

# There are none: podman-compose and Ansible ask for them in each project, also in those that need none.
_NONE = (
    Command(
        path="pod exists",
        handler="podpy.cli.commands.lists.none:exists",
        help="Tell by the exit code whether a pod exists: none does",
        examples=("podpy pod exists shop || echo no",),
        arguments=_NAME,
    ),
    Command(
        path="pod ls",
        aliases=("pod list", "pod ps"),
        handler="podpy.cli.commands.lists.none:pods",
        help="List pods: there are none",
        examples=("podpy pod ls --quiet",),
        options=_LIST,
    ),
)

# A refused group ("play") answers for all its commands, so it is one entry here and needs no sub-commands.
COMMANDS: tuple[Command, ...] = (
    *_NONE,
    *(
        Command(path=path, hidden=True, refuse=reason, help=f"({reason})", interspersed=False)
        for reason, paths in _WORDS.items()
        for path in paths
    ),
)
