"""`--pid`, `--ipc`, `--uts`, `--cgroupns`, `--userns`, `--uidmap` → the spec's namespace fields (podman-run(1))."""

from __future__ import annotations

from podpy.errors import NotSupportedError, UsageError
from podpy.spec.container import AS_CONFIGURED
from podpy.spec.text.namespaces import MODES, check_mode, check_userns, map_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options


def namespaces(options: Options) -> dict[str, Any]:
    """Return the spec's namespace fields. Raises UsageError for an unknown mode."""
    given = {name: getattr(options, name) for name in MODES}
    fields: dict[str, Any] = {name: check_mode(name, mode) if mode else AS_CONFIGURED for name, mode in given.items()}
    has_maps = bool(options.uidmap or options.gidmap)
    if has_maps and options.userns not in (None, "", "host", "private"):
        raise UsageError("--userns and --uidmap/--gidmap cannot be used together")
    if options.subuidname or options.subgidname:
        raise NotSupportedError("--subuidname and --subgidname come with a later version: use --uidmap")
    fields["userns"] = "private" if has_maps else check_userns(options.userns) if options.userns else AS_CONFIGURED
    fields["uid_map_lines"] = map_lines("--uidmap", options.uidmap)
    fields["gid_map_lines"] = map_lines("--gidmap", options.gidmap)
    return fields
