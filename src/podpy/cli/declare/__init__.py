"""The command line, declared once as data.

The compiled table (the everyday parser), help, completion, docs/reference and Typer (the second reader) all read these
declarations, so a new option is one line here and an attribute in its handler.
"""

from __future__ import annotations

from podpy.cli.declare import (
    build,
    compose,
    connections,
    containers,
    contents,
    images,
    kube,
    kube_play,
    lab,
    later,
    lists,
    networks,
    observe,
    pods,
    quadlets,
    registries,
    secrets,
    system,
    units,
    update,
    volumes,
)
from podpy.cli.declare.globals import GLOBAL_OPTIONS
from podpy.cli.declare.model import Command

__all__ = ["COMMANDS", "GLOBAL_OPTIONS", "find", "groups"]

COMMANDS: tuple[Command, ...] = (
    *containers.COMMANDS,
    *contents.COMMANDS,
    *images.COMMANDS,
    *build.COMMANDS,
    *lists.COMMANDS,
    *volumes.COMMANDS,
    *networks.COMMANDS,
    *pods.COMMANDS,
    *quadlets.COMMANDS,
    *update.COMMANDS,
    *units.COMMANDS,
    *registries.COMMANDS,
    *secrets.COMMANDS,
    *system.COMMANDS,
    *connections.COMMANDS,
    *compose.COMMANDS,
    *lab.COMMANDS,
    *observe.COMMANDS,
    *kube.COMMANDS,
    *kube_play.COMMANDS,
    *later.COMMANDS,
)


def groups() -> dict[str, str]:
    """Return the command groups ("container", "image" …) with their one-line help."""
    return {
        **secrets.GROUPS,
        **system.GROUPS,
        **connections.GROUPS,
        **volumes.GROUPS,
        **networks.GROUPS,
        **pods.GROUPS,
        **quadlets.GROUPS,
        **registries.GROUPS,
        **build.GROUPS,
        **update.GROUPS,
        **units.GROUPS,
        **kube.GROUPS,
        **kube_play.GROUPS,
    }


def find(path: str) -> Command:
    """Return the command with this path or alias ("container ls"). Raises KeyError."""
    for command in COMMANDS:
        if path == command.path or path in command.aliases:
            return command
    raise KeyError(path)
