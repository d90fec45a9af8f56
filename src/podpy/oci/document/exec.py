"""`podpy exec`: the OCI `process` of another command, from the container's own process and the options."""

from __future__ import annotations

from podpy import fastjson
from podpy.oci.root.users import lookup
from podpy.spec import capabilities
from podpy.spec.container import KEEP_GROUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.spec.container import ContainerSpec


def build_exec_process(
    base: dict[str, Any],
    spec: ContainerSpec,
    *,
    rootfs: str,
    command: Sequence[str],
    env: dict[str, str],
    workdir: str = "",
    user: str = "",
    tty: bool = False,
    privileged: bool = False,
) -> dict[str, Any]:
    """Return `process` for `command`. `base`: the container's own process (config.json); `user` "": the same user.

    `rootfs` is a path to the container's files. Raises RuntimeFailedError for an unknown user.
    """
    left_out = ("terminal", "consoleSize", "args", "apparmorProfile")
    result = {key: value for key, value in base.items() if key not in left_out}
    variables = dict(item.partition("=")[::2] for item in base["env"])
    uid = base["user"]["uid"]
    if user:
        ids = lookup(rootfs, user, spec.groups)
        uid = ids.uid
        result["user"] = {"uid": uid, "gid": ids.gid, "umask": base["user"].get("umask", 0o022)}
        groups = list(dict.fromkeys([ids.gid, *ids.groups]))
        if KEEP_GROUPS not in spec.groups:
            result["user"]["additionalGids"] = groups
        if "HOME" not in spec.env:
            variables["HOME"] = ids.home
    if tty:
        result["terminal"] = True
        variables.setdefault("TERM", "xterm")
    variables.update(env)
    result["env"] = [fastjson.well_formed(f"{name}={value}") for name, value in variables.items()]
    result["args"] = [fastjson.well_formed(word) for word in command]
    result["cwd"] = workdir or base["cwd"]
    result["capabilities"] = _capabilities(base, spec, uid, privileged=privileged)
    if base.get("apparmorProfile") and not privileged:
        result["apparmorProfile"] = base["apparmorProfile"]
    return result


def _capabilities(base: dict[str, Any], spec: ContainerSpec, uid: int, *, privileged: bool) -> dict[str, list[str]]:
    if privileged:
        every = sorted(capabilities.bounding_set())
        return {"bounding": every, "effective": every, "permitted": every, "inheritable": [], "ambient": []}
    bounding = base["capabilities"]["bounding"]
    if uid == 0 or spec.privileged:
        return {"bounding": bounding, "effective": bounding, "permitted": bounding, "inheritable": [], "ambient": []}
    asked = capabilities.merge([], spec.cap_add, [], bounding)
    return {"bounding": bounding, "effective": asked, "permitted": asked, "inheritable": asked, "ambient": asked}
