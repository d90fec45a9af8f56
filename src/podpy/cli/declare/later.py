"""Podman's other commands: known by name, so that the answer is a reason and not "unknown command"."""

from __future__ import annotations

from podpy.cli.declare.model import Command

_CRIU = "checkpointing and restoring a container requires root, and podpy doesn't do it there, either"
_SIGN = "makes no signatures, podpy only verifies them: skopeo standalone-sign, or podman image sign"
_REMOTE = "is for other machines: podpy is an engine for this one"

_WORDS: dict[str, tuple[str, ...]] = {
    _CRIU: ("container checkpoint", "container restore"),
    _SIGN: ("image sign",),
    _REMOTE: ("remote", "machine", "farm"),
}

# A refused group ("kube") answers for all its commands, so it is one entry here and needs no sub-commands.
COMMANDS: tuple[Command, ...] = (
    *(
        Command(path=path, hidden=True, refuse=reason, help=f"({reason})", interspersed=False)
        for reason, paths in _WORDS.items()
        for path in paths
    ),
)
