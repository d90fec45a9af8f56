"""OCI hooks of the host: programs that the OCI runtime runs around containers (oci-hooks(5), version 1.0.0).

A file NAME.json in a later directory replaces one of the same name in an earlier directory. Without `--hooks-dir` or
containers.conf's hooks_dir there are no hooks, as for every rootless user of Podman.
"""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import ConfigError
from podpy.oci import trusted
from podpy.oci.cdi import hook_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.spec.container import ContainerSpec

_VERSION = "1.0.0"
_STAGES = ("createContainer", "createRuntime", "prestart", "poststart", "poststop", "startContainer")


def find(spec: ContainerSpec, directories: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return a container's hooks by stage. Raises ConfigError for a file that is wrong or that others may write."""
    files = {file.path.rpartition("/")[2]: file for file in trusted.read_all(directories, (".json",))}
    result: dict[str, list[dict[str, Any]]] = {}
    for name in sorted(files):
        file = files[name]
        try:
            document = fastjson.loads(file.data.decode())
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{file.path}: {error}") from None
        for stage in _stages(document, file.path):
            if _matches(document["when"], spec, file.path):
                result.setdefault(stage, []).append(hook_entry(document["hook"], file.path))
    return result


def _stages(document: Any, path: str) -> list[str]:
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise ConfigError(f'{path}: unrecognized hook version: it must be "{_VERSION}"')
    for name in ("hook", "when"):
        if not isinstance(document.get(name), dict):
            raise ConfigError(f"{path}: missing required property: {name}")
    stages = document.get("stages")
    if not isinstance(stages, list) or not stages:
        raise ConfigError(f"{path}: missing required property: stages")
    for stage in stages:
        if stage not in _STAGES:
            raise ConfigError(f'{path}: unknown stage "{stage}"', hint=f"One of {', '.join(_STAGES)}")
    return stages


def _matches(when: dict[str, Any], spec: ContainerSpec, path: str) -> bool:
    """Return whether there are conditions and all hold. Annotations are the user's, so no image can trigger a hook."""
    import re

    held = []
    try:
        if "always" in when:
            held.append(when["always"] is True)
        if when.get("annotations"):
            wanted = when["annotations"].items()
            held.append(
                all(
                    any(re.search(key, name) and re.search(text, value) for name, value in spec.annotations.items())
                    for key, text in wanted
                )
            )
        if when.get("commands"):
            command = spec.command[0] if spec.command else ""
            held.append(any(re.search(pattern, command) for pattern in when["commands"]))
        if "hasBindMounts" in when:
            held.append(any(mount.type == "bind" for mount in spec.mounts) is bool(when["hasBindMounts"]))
    except (re.error, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: when: {error}") from None
    return bool(held) and all(held)
