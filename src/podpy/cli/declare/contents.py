"""The commands about what is in a container: copying, exporting, committing, mounting."""

from __future__ import annotations

from podpy.cli.declare.common import one_container
from podpy.cli.declare.model import FILES, Command, text

_PANEL = "Containers"

COMMANDS: tuple[Command, ...] = (
    Command(
        path="export",
        aliases=("container export",),
        handler="podpy.cli.commands.containers.export:run",
        panel=_PANEL,
        help="Write a container's files as a tar archive",
        examples=(
            "podpy export -o web.tar web",
            "podpy export web | tar -t",
        ),
        arguments=(one_container(),),
        options=(text("--output -o", "FILE", "Write to this file (default: standard output)", complete=FILES),),
    ),
)
