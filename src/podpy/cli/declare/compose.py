"""`compose`: another program's command line."""

from __future__ import annotations

from podpy.cli.declare.model import Argument, Command

COMMANDS: tuple[Command, ...] = (
    Command(
        path="compose",
        handler="podpy.cli.commands.system.compose:run",
        panel="System",
        help="Run docker-compose or podman-compose with this engine",
        description=(
            "It is the first one that is there of containers.conf's compose_providers, or what PODMAN_COMPOSE_PROVIDER "
            "names, and reads all that follows: `podpy compose help` prints its help. docker-compose gets podpy's "
            "service, which ends by itself."
        ),
        examples=(
            "podpy compose up --detach",
            "podpy compose -f shop.yaml down",
        ),
        arguments=(Argument(name="words", metavar="WORD", required=False, many=True),),
        raw=True,
    ),
)
