"""`--pid`, `--ipc`, `--uts`, `--cgroupns`, `--userns`, `--uidmap` → the spec's namespace fields (podman-run(1))."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.spec.container import AS_CONFIGURED
from podpy.spec.text.namespaces import MODES, check_mode, check_userns, lines_of_name, map_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options


def namespaces(options: Options) -> dict[str, Any]:
    """Return the spec's namespace fields. Raises UsageError for an unknown mode."""
    given = {name: getattr(options, name) for name in MODES}
    fields: dict[str, Any] = {name: check_mode(name, mode) if mode else AS_CONFIGURED for name, mode in given.items()}
    uid_lines, gid_lines = _map_lines(options)
    has_maps = bool(uid_lines or gid_lines)
    if has_maps and options.userns not in (None, "", "host", "private"):
        raise UsageError("--userns and --uidmap/--gidmap cannot be used together")
    fields["userns"] = "private" if has_maps else check_userns(options.userns) if options.userns else _unsaid(options)
    fields["uid_map_lines"], fields["gid_map_lines"] = uid_lines, gid_lines
    return fields


def _unsaid(options: Options) -> Any:
    return "host" if options.given("userns") else AS_CONFIGURED  # podman-run(1): --userns="" is the host's


def _map_lines(options: Options) -> tuple[list[str], list[str]]:
    """Return the lines of the id maps: as given, or the ranges of the given names in /etc/subuid and /etc/subgid."""
    names = options.subuidname or options.subgidname, options.subgidname or options.subuidname
    if not names[0]:
        return map_lines("--uidmap", options.uidmap), map_lines("--gidmap", options.gidmap)
    if options.uidmap or options.gidmap:
        raise UsageError("--subuidname/--subgidname and --uidmap/--gidmap cannot be used together")
    return (
        lines_of_name("--subuidname", names[0], "/etc/subuid"),
        lines_of_name("--subgidname", names[1], "/etc/subgid"),
    )
