"""`--pid`, `--ipc`, `--uts`, `--cgroupns`, `--userns`, `--uidmap`: which texts name a namespace (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MODES = {
    "pid": ("private", "host"),
    "ipc": ("private", "shareable", "none", "host"),
    "uts": ("private", "host"),
    "cgroupns": ("private", "host"),
}
POD = "pod"
"""The mode, in any of MODES, that joins the namespace of the pod's infra container (podman-run(1))."""
_USERNS = ("host", "keep-id", "nomap", "auto")


def check_mode(name: str, mode: str) -> str:
    """Return the mode of the namespace `name` (a key of MODES). Raises UsageError, NotSupportedError."""
    how, colon, where = mode.partition(":")
    if how in ("container", "ns") and colon and where:
        return mode
    if mode not in MODES[name] and mode != POD:
        known = ", ".join((*MODES[name], "container:NAME", "ns:PATH"))
        raise UsageError(f"unrecognized namespace mode {mode} passed", hint=f"--{name} is one of {known}")
    return mode


def check_userns(mode: str) -> str:
    """Return the mode of the user namespace. Raises UsageError."""
    how, colon, where = mode.partition(":")
    if how in ("container", "ns") and colon and where:
        return mode
    if how == "no-map":  # containers.conf(5)'s spelling
        return check_userns("nomap" + mode.removeprefix("no-map"))
    if how not in (*_USERNS, "private", POD):
        known = "host, keep-id[:uid=,gid=,size=], nomap, auto[:size=,uidmapping=,gidmapping=], container:NAME, ns:PATH"
        raise UsageError(f"unrecognized namespace mode {mode} passed", hint=f"--userns is one of {known}")
    if colon and how not in ("keep-id", "auto"):
        raise UsageError(f"--userns={how} takes no options")
    return mode


def map_lines(option: str, items: Sequence[str]) -> list[str]:
    """Return the lines of an id map unchanged. Raises UsageError for a malformed one."""
    for item in items:
        parts = item.lstrip("+ug").split(":")
        numbers = [parts[0], *(part.removeprefix("@") for part in parts[1:2]), *parts[2:]]
        if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() for part in numbers):
            raise UsageError(
                f"invalid value {item!r} for {option}", hint="It is [+ug]CONTAINER:[@]FROM[:SIZE], three numbers"
            )
    return list(items)


def lines_of_name(option: str, name: str, path: str) -> list[str]:
    """Return the lines that map 0 upwards to all ids that a subuid(5) file gives to a name. Raises UsageError."""
    from podpy.rootless.subids import from_file

    lines, container = [], 0
    for first, count in from_file(path, -1, name):
        lines.append(f"{container}:@{first}:{count}")
        container += count
    if not lines:
        raise UsageError(f"{option} {name}: {path} has no ids of that name", hint=f"grep {name}: {path}")
    return lines
