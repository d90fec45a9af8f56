"""The commands that watch: events."""

from __future__ import annotations

from podpy.cli.declare.model import Command, flag, many, text

_PANEL = "Observing"

COMMANDS: tuple[Command, ...] = (
    Command(
        path="events",
        aliases=("system events",),
        handler="podpy.cli.commands.system.events:run",
        panel=_PANEL,
        help="Show what happens to containers, images, volumes and the rest",
        examples=(
            "podpy events  # from now on",
            "podpy events --since 1h --stream=false",
            "podpy events --filter container=web --filter event=died --format json",
        ),
        rule="none",
        description=(
            "Without --since and --until, only what happens from now on. Filters with the same key are alternatives; "
            "different keys must all be true. Keys: container, image, artifact, pod, network, secret (a name or the "
            "beginning of an id), volume (the beginning of a name), type, event, label."
        ),
        options=(
            many("--filter -f", "KEY=VALUE", "Only events for which this is true (repeatable)"),
            text("--format", "TEMPLATE", "Print each event as a Go template says, or as json (a line each)"),
            flag("--no-trunc", "Print whole ids", default=True),
            text("--since", "TIME", "Events after this time: 2024-01-02T15:04:05Z, a Unix time, 10m (ago), now"),
            flag("--stream", "Go on when all is shown", default=True),
            text("--until", "TIME", "Events before this time; 10m: for ten minutes from now"),
        ),
    ),
)
