"""Which of --all, --latest, --cidfile, --filter and names go together, per command (Podman's cmd/podman/validate)."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.parse import Options


def check(rule: str, options: Options, positionals: list[str]) -> list[str]:
    """Return the positional words for the command's arguments. Raises UsageError."""
    return _RULES[rule](options, positionals)


def _none(_options: Options, positionals: list[str]) -> list[str]:
    if positionals:
        raise UsageError("takes no arguments")
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
    if every and newest:
        raise UsageError("--all and --latest cannot be used together")
    if positionals and every:
        raise UsageError("no arguments are needed with --all")
    if positionals and newest:
        raise UsageError("--latest and containers cannot be used together")
    if positionals and files:
        raise UsageError("no arguments are needed with --cidfile")
    if not (positionals or every or newest or files or getattr(options, "running", False)):
        raise UsageError("you must provide at least one name or id")
    return positionals


def _names(options: Options, positionals: list[str]) -> list[str]:
    if positionals and options.latest:
        raise UsageError("--latest and arguments cannot be used together")
    if not positionals and not options.latest:
        raise UsageError("you must provide at least one name or id")
    return positionals


def _one(options: Options, positionals: list[str]) -> list[str]:
    if len(positionals) > 1:
        raise UsageError("accepts at most one argument")
    if positionals and options.latest:
        raise UsageError("--latest and containers cannot be used together")
    if not positionals and not options.latest:
        raise UsageError('a name, an id, or "--latest" is needed')
    return positionals


def _logs(options: Options, positionals: list[str]) -> list[str]:
    if positionals and options.latest:
        raise UsageError("--latest and containers cannot be used together")
    if not positionals and not options.latest:
        raise UsageError("you must provide at least one name or id")
    return positionals


def _exec(options: Options, positionals: list[str]) -> list[str]:
    """CONTAINER COMMAND…, or --latest or --cidfile and COMMAND…: then the container's name stays empty."""
    if options.latest and options.cidfile:
        raise UsageError("--latest and --cidfile cannot be used together")
    if options.latest or options.cidfile:
        positionals = ["", *positionals]
    if not positionals:
        raise UsageError("a container's name or id is needed")
    if len(positionals) < 2:
        raise UsageError("a command to run is needed")
    return positionals


def _port(options: Options, positionals: list[str]) -> list[str]:
    if options.latest and options.all:
        raise UsageError("--all and --latest cannot be used together")
    if options.all and positionals:
        raise UsageError("no arguments are needed with --all")
    if options.latest:
        return ["", *positionals]
    if not positionals and not options.all:
        raise UsageError("you must supply a container's name or id, or --all")
    return positionals


def _top(options: Options, positionals: list[str]) -> list[str]:
    if options.list_descriptors:
        return positionals
    if options.latest:
        return ["", *positionals]
    if not positionals:
        raise UsageError("you must provide the name or id of a running container")
    return positionals


def _images(options: Options, positionals: list[str]) -> list[str]:
    if positionals and options.all:
        raise UsageError("no arguments are needed with --all")
    if not positionals and not options.all:
        raise UsageError("an image's name or id, or --all, is needed")
    return positionals


def _images_or_none(options: Options, positionals: list[str]) -> list[str]:
    return _images(options, positionals) if positionals or options.all else positionals


_RULES = {
    "none": _none,
    "ids": _ids,
    "names": _names,
    "one": _one,
    "logs": _logs,
    "exec": _exec,
    "port": _port,
    "top": _top,
    "images": _images,
    "images or none": _images_or_none,
}
