"""Checks which of --all, --latest, --cidfile, --filter and names exclude each other (Podman: cmd/podman/validate)."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_LATEST = "--latest and containers cannot be used together"


def check(rule: str, options: Options, positionals: list[str]) -> list[str]:
    """Return the positional words for the command's arguments. Raises UsageError."""
    return _RULES[rule](options, positionals)


def _none(options: Options, positionals: list[str]) -> list[str]:
    if positionals:
        raise UsageError(f"`podpy {options.path}` takes no arguments")
    return positionals


def _ids(options: Options, positionals: list[str]) -> list[str]:
    """Containers by name, or --all, or --latest, or --cidfile, or --filter."""
    every = getattr(options, "all", False)
    newest = options.latest
    files = bool(getattr(options, "cidfile", None))
    if options.given("filter"):
        if positionals:
            raise UsageError("--filter takes no arguments")
        return positionals
    if files and (every or newest):
        raise UsageError("--all, --latest, and --cidfile cannot be used together")
    _not_both(every, newest)
    if positionals and every:
        raise UsageError("no arguments are needed with --all")
    if positionals and newest:
        raise UsageError(_LATEST)
    if positionals and files:
        raise UsageError("no arguments are needed with --latest or --cidfile")
    if not (positionals or every or newest or files or getattr(options, "running", False)):
        raise UsageError("you must provide at least one name or id")
    return positionals


def _start(options: Options, positionals: list[str]) -> list[str]:
    if not (positionals or options.latest or options.all or options.filter):
        raise UsageError("start requires at least one argument")
    _not_both(options.all, options.latest)
    if positionals and options.latest:
        raise UsageError(_LATEST)
    if len(positionals) > 1 and options.attach:
        raise UsageError("you cannot start and attach multiple containers at once")
    if positionals and options.all:
        raise UsageError("either start all containers or the container(s) provided in the arguments")
    if options.attach and options.all:
        raise UsageError("you cannot start and attach all containers at once")
    return positionals


def _names(options: Options, positionals: list[str]) -> list[str]:
    if positionals and options.latest:
        raise UsageError("--latest and arguments cannot be used together")
    if not positionals and not options.latest:
        raise UsageError("no names or ids specified")
    return positionals


def _diff(options: Options, positionals: list[str]) -> list[str]:
    if positionals and options.latest:
        raise UsageError(_LATEST)
    if not positionals and not options.latest:
        raise UsageError(f"container must be specified: podpy {options.path} [options [...]] ID-NAME")
    return positionals


def _one(options: Options, positionals: list[str]) -> list[str]:
    if len(positionals) > 1:
        raise UsageError(f"`podpy {options.path}` accepts at most one argument")
    if positionals and options.latest:
        raise UsageError(_LATEST)
    if not positionals and not options.latest:
        raise UsageError(f'"podpy {options.path}" requires a name, id, or the "--latest" flag')
    return positionals


def _logs(options: Options, positionals: list[str]) -> list[str]:
    if positionals and options.latest:
        raise UsageError(_LATEST)
    if not positionals and not options.latest:
        raise UsageError("specify at least one container name or ID to log")
    return positionals


def _exec(options: Options, positionals: list[str]) -> list[str]:
    """CONTAINER COMMAND…, or --latest or --cidfile and COMMAND…: then the container's name stays empty."""
    if options.latest and options.cidfile:
        raise UsageError("--latest and --cidfile can not be used together")
    if options.latest or options.cidfile:
        positionals = ["", *positionals]
    if not positionals:
        raise UsageError("exec requires the name or ID of a container or the --latest or --cidfile flag")
    if len(positionals) < 2:
        raise UsageError("must provide a non-empty command to start an exec session: invalid argument")
    return positionals


def _port(options: Options, positionals: list[str]) -> list[str]:
    _not_both(options.all, options.latest)
    if options.all and positionals:
        raise UsageError("no arguments are needed with --all")
    if options.latest:
        return ["", *positionals]
    if not positionals and not options.all:
        raise UsageError("you must supply a running container name or id")
    if len(positionals) > 2:
        raise UsageError("`port` accepts at most 2 arguments")
    return positionals


def _top(options: Options, positionals: list[str]) -> list[str]:
    if options.list_descriptors:
        return positionals
    if options.latest:
        return ["", *positionals]
    if not positionals:
        raise UsageError("you must provide the name or id of a running container")
    return positionals


def _stats(options: Options, positionals: list[str]) -> list[str]:
    if options.all + options.latest + bool(positionals) > 1:
        raise UsageError("--all, --latest and containers cannot be used together")
    return positionals


def _why(options: Options, positionals: list[str]) -> list[str]:
    if not positionals and not options.latest and not options.port:
        raise UsageError("you must provide a container's name or id, --latest, or --port")
    if len(positionals) > (1 if options.latest else 2):
        raise UsageError("`podpy why` takes a container and a path at most")
    return positionals


def _images(options: Options, positionals: list[str]) -> list[str]:
    if positionals and options.all:
        raise UsageError("when using the --all switch, you may not pass any images names or IDs")
    if not positionals and not options.all:
        raise UsageError("image name or ID must be specified")
    return positionals


def _images_or_none(options: Options, positionals: list[str]) -> list[str]:
    return _images(options, positionals) if positionals or options.all else positionals


def _not_both(every: bool, newest: bool) -> None:
    if every and newest:
        raise UsageError("--all and --latest cannot be used together")


def _pods(options: Options, positionals: list[str]) -> list[str]:
    """Pods by name, or --all, or --latest, or --pod-id-file."""
    _not_both(options.all, options.latest)
    if positionals and options.all:
        raise UsageError("no arguments are needed with --all")
    if positionals and options.latest:
        raise UsageError("--latest and pods cannot be used together")
    if not (positionals or options.all or options.latest or getattr(options, "pod_id_file", None)):
        raise UsageError("you must provide at least one name or id")
    return positionals


def _pods_or_none(options: Options, positionals: list[str]) -> list[str]:
    if options.all + options.latest + bool(positionals) > 1:
        raise UsageError("--all, --latest and arguments cannot be used together")
    return positionals


def _pod(options: Options, positionals: list[str]) -> list[str]:
    """One pod, or --latest."""
    if positionals and options.latest:
        raise UsageError("--latest and pods cannot be used together")
    if not positionals and not options.latest:
        raise UsageError("specify at least one pod name or ID to log")
    return positionals


def _ids_or_none(options: Options, positionals: list[str]) -> list[str]:
    return _ids(options, positionals) if positionals or options.all or options.latest else positionals


_RULES = {
    "none": _none,
    "ids": _ids,
    "ids or none": _ids_or_none,
    "start": _start,
    "diff": _diff,
    "names": _names,
    "one": _one,
    "logs": _logs,
    "exec": _exec,
    "port": _port,
    "top": _top,
    "stats": _stats,
    "why": _why,
    "pods": _pods,
    "pods or none": _pods_or_none,
    "pod": _pod,
    "images": _images,
    "images or none": _images_or_none,
}
