"""The commands that watch and explain."""

from __future__ import annotations

from podpy.cli.declare.common import STATS_LOOKS, latest, some_containers
from podpy.cli.declare.model import CONTAINERS, RUNNING, Argument, Command, flag, many, number, text

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
    Command(
        path="stats",
        aliases=("container stats",),
        handler="podpy.cli.commands.containers.stats:run",
        panel=_PANEL,
        help="Show what containers use: CPU, memory, network, disk, processes",
        examples=(
            "podpy stats  # on a terminal: c, m, n, p, b choose the order, q ends",
            "podpy stats --no-stream --format json",
            "podpy stats --no-stream --format 'table {{.Name}} {{.CPUPerc}} {{.MemUsage}}' web",
        ),
        rule="stats",
        description=(
            "CPU is counted since the last look, at the first one since the start; 100% is one processor. From the "
            "container's cgroup, or where that has no such controller, summed up over its processes. What can't be "
            "known is --."
        ),
        options=(
            flag("--all -a", "Those that don't run, too"),
            *STATS_LOOKS,
            number("--interval -i", "SECONDS", "Time between two looks", default=5),
            latest(),
            flag("--no-trunc", "Print whole ids"),
        ),
        arguments=(some_containers(RUNNING),),
    ),
    Command(
        path="why",
        handler="podpy.cli.commands.system.why:run",
        panel=_PANEL,
        help="Say why a container ended, never started, or can't use a file; or who holds a port",
        examples=(
            "podpy why web  # why it ended, or never started",
            "podpy why web /data/file  # what keeps it from that file",
            "podpy why --port 8080",
            "podpy why --json --latest",
        ),
        rule="why",
        description=(
            "From the container's state, its exit record, events and log, in plain words. Of a container that was "
            "removed, what became of it. A file's path is looked at part by part, as the container's first process "
            "sees it: owner inside and outside, mode, and what mends it."
        ),
        options=(
            flag("--json", "Print JSON"),
            latest(),
            text("--port", "PORT", "Who holds this port of the host: 8080, 53/udp"),
        ),
        arguments=(
            Argument(name="arguments", metavar="CONTAINER [PATH]", required=False, many=True, complete=CONTAINERS),
        ),
    ),
)
