"""Options that several commands share, each declared once."""

from __future__ import annotations

from podpy.cli.declare.model import (
    CONTAINERS,
    DIRECTORIES,
    FILES,
    RUNNING,
    SIGNALS,
    STOPPED,
    SWITCH,
    Argument,
    Option,
    flag,
    many,
    number,
    text,
)

STOP_SECONDS = 10  # containers.conf stop_timeout's default

AUTHFILE = text("--authfile", "FILE", "File with credentials", complete=FILES, env="REGISTRY_AUTH_FILE")
CREDS = text("--creds", "USER[:PASSWORD]", "Credentials for the registry")
CERT_DIR = text("--cert-dir", "DIR", "Directory with TLS certificates", complete=DIRECTORIES)
TLS_VERIFY = Option(names=("--tls-verify",), kind=SWITCH, help="Insist on verified HTTPS")
LATEST = flag("--latest -l", "Act on the container that was created last")
ALL_HELP = "Act on all containers"
SIGNAL = text("--signal -s", "SIGNAL", "Signal: a name or a number", default="KILL", complete=SIGNALS)

LOG_LINES = (
    flag("--follow -f", "Go on as more is written"),
    text("--since", "TIME", "Only after this time: 2024-01-02T15:04:05, 1700000000 or 10m"),
    text("--until", "TIME", "Only before this time"),
    flag("--timestamps -t", "Start lines with their times"),
    flag("--names -n", "Start lines with the container's name"),
    flag("--color", "A colour for each container"),
)
"""Which lines of logs are printed, and how."""

STATS_LOOKS = (
    text("--format", "TEMPLATE", "Print as a Go template says, as table TEMPLATE, or as json"),
    flag("--no-reset", "Don't clear the screen between two looks"),
    flag("--no-stream", "Look once"),
)
"""How usage is printed, and how often."""

PROGRESS = text(
    "--progress",
    "STYLE",
    "auto: bars on a terminal, else lines; plain: lines; json: events for programs, on standard output",
    default="auto",
    choices=("auto", "plain", "json"),
)


def latest() -> Option:
    """`--latest`, which stands for a container's name."""
    return LATEST


def cidfiles() -> Option:
    """`--cidfile` of commands that read ids from files."""
    return many("--cidfile", "FILE", "Read the container's id from this file (repeatable)", complete=FILES)


def container_filter(short: bool = True) -> Option:
    """`--filter` with the keys of `ps`."""
    names = "--filter -f" if short else "--filter"
    return many(names, "KEY=VALUE", "Only containers for which this is true (repeatable)")


def template_format(names: str = "--format -f", default: str = "", what: str = "the output") -> Option:
    """`--format`: a Go template, or `json`."""
    return text(names, "TEMPLATE", f"Print {what} as a Go template says, or as json", default=default)


def stop_time(aliases: tuple[str, ...] = ()) -> Option:
    """`--time`: how long a stop may take."""
    return number(
        "--time -t", "SECONDS", "How long to wait before killing; -1: for ever", default=STOP_SECONDS, aliases=aliases
    )


def detach_keys() -> Option:
    """`--detach-keys`."""
    return text("--detach-keys", "KEYS", "Key sequence that detaches; empty: none", default="ctrl-p,ctrl-q")


def one_container(complete: str = CONTAINERS, required: bool = True) -> Argument:
    """The argument of commands that take one container."""
    return Argument(name="container", metavar="CONTAINER", required=required, complete=complete)


def some_containers(complete: str = CONTAINERS) -> Argument:
    """The argument of commands that take containers, or --all or --latest instead: so not required here."""
    return Argument(name="containers", metavar="CONTAINER", required=False, many=True, complete=complete)


def running_containers() -> Argument:
    """Containers that run."""
    return some_containers(RUNNING)


def stopped_containers() -> Argument:
    """Containers that don't run."""
    return some_containers(STOPPED)


def dry_run() -> Option:
    """`--dry-run` of the prune commands, podpy's own."""
    return flag("--dry-run", "Remove nothing: print what would go, and how much space that would give back")
