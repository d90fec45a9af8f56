"""`--pid`, `--ipc`, `--uts`, `--cgroupns`, `--userns`, `--uidmap`: checked, and kept as texts in the spec."""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.cli.parser.parse import Options
    from podpy.config.containers_conf import ContainersConf

_MODES = {
    "pid": ("private", "host"),
    "ipc": ("private", "shareable", "none", "host"),
    "uts": ("private", "host"),
    "cgroupns": ("private", "host"),
}
_USERNS = ("host", "keep-id", "nomap", "auto")


def namespaces(options: Options, conf: ContainersConf) -> dict[str, Any]:
    """Return the spec's namespace fields. Raises UsageError for an unknown mode."""
    defaults = {"pid": conf.pidns, "ipc": conf.ipcns, "uts": conf.utsns, "cgroupns": conf.cgroupns}
    fields: dict[str, Any] = {name: _mode(name, getattr(options, name) or defaults[name]) for name in _MODES}
    userns = options.userns or conf.userns or "host"
    if (options.uidmap or options.gidmap) and userns not in ("host", "private"):
        raise UsageError("--userns and --uidmap/--gidmap cannot be used together")
    if options.subuidname or options.subgidname:
        raise NotSupportedError("--subuidname and --subgidname come with a later version: use --uidmap")
    fields["userns"] = "private" if options.uidmap or options.gidmap else _userns(userns)
    fields["uid_map_lines"] = _map_lines("--uidmap", options.uidmap)
    fields["gid_map_lines"] = _map_lines("--gidmap", options.gidmap)
    return fields


def _mode(name: str, mode: str) -> str:
    how, colon, where = mode.partition(":")
    if how in ("container", "ns") and colon and where:
        return mode
    if mode == "pod":
        raise NotSupportedError(f"--{name}=pod: pods come with a later version of podpy")
    if mode not in _MODES[name]:
        known = ", ".join((*_MODES[name], "container:NAME", "ns:PATH"))
        raise UsageError(f"--{name}: unrecognized namespace mode {mode} passed", hint=f"One of {known}")
    return mode


def _userns(mode: str) -> str:
    how, colon, where = mode.partition(":")
    if how in ("container", "ns") and colon and where:
        return mode
    if how not in (*_USERNS, "private"):
        known = "host, keep-id[:uid=,gid=], nomap, auto[:size=], container:NAME, ns:PATH"
        raise UsageError(f"--userns: unrecognized namespace mode {mode} passed", hint=f"One of {known}")
    if colon and how not in ("keep-id", "auto"):
        raise UsageError(f"--userns={how} takes no options")
    return mode


def _map_lines(option: str, items: Sequence[str]) -> list[str]:
    for item in items:
        parts = item.split(":")
        numbers = [part.lstrip("+@ug") for part in parts]
        if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() for part in numbers):
            raise UsageError(f"invalid value {item!r} for {option}", hint="It is CONTAINER:HOST[:SIZE], three numbers")
    return list(items)
