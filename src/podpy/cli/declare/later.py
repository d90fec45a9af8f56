"""Podman's other commands: known by name, so that the answer is a reason and not "unknown command"."""

from __future__ import annotations

from podpy.cli.declare.model import Command

_LATER = "comes with a later version of podpy"
_REMOTE = "is for other machines: podpy is an engine for this one"

_WORDS: dict[str, tuple[str, ...]] = {
    _LATER: (
        "build",
        "auto-update",
        "compose",
        "container clone",
        "container runlabel",
        "container checkpoint",
        "container restore",
        "image build",
        "image scp",
        "image sign",
        "system service",
        "pod",
        "network",
        "kube",
        "play",
        "generate",
        "quadlet",
        "buildx",
    ),
    _REMOTE: ("remote", "machine", "farm", "system connection"),
}

# A refused group ("pod") answers for all its commands, so it is one entry here and needs no sub-commands.
COMMANDS: tuple[Command, ...] = tuple(
    Command(path=path, hidden=True, refuse=reason, help=f"({reason})", interspersed=False)
    for reason, paths in _WORDS.items()
    for path in paths
)
