"""CDI: devices described by their vendors (github.com/cncf-tags/container-device-interface, SPEC.md, 0.3 to 1.0).

A spec file, JSON or YAML, lists the devices of one kind (`vendor.com/class`) with the changes to config.json for each
and for all of them: variables, device nodes, mounts, hooks, groups. If two directories have a device, the later one
wins.
"""

from __future__ import annotations

from podpy.errors import ConfigError, NotFoundError
from podpy.oci import trusted
from podpy.record import Record
from podpy.spec.container import Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

DIRECTORIES = ("/etc/cdi", "/var/run/cdi")
GPU_VENDORS = ("nvidia.com", "amd.com")  # podman-run(1), --gpus: the first one that CDI knows
_STAGES = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


class Edits(Record):
    """Changes to config.json; `hooks` by stage, `mounts` in the OCI runtime spec's form."""

    env: list[str] = []
    devices: list[Device] = []
    mounts: list[dict[str, Any]] = []
    hooks: dict[str, list[dict[str, Any]]] = {}
    gids: list[int] = []


def find(names: Sequence[str], gpus: Sequence[str], directories: Sequence[str]) -> Edits:
    """Return the edits of devices ("vendor.com/class=name") and GPUs ("all" or a name).

    Raises NotFoundError for a device that no file describes, ConfigError for a file that is wrong or that others may
    write.
    """
    known = _devices(directories)
    wanted = [*names, *(f"{_gpu_vendor(known)}/gpu={gpu}" for gpu in gpus)]
    missing = [name for name in wanted if name not in known]
    if missing:
        raise NotFoundError(
            f"setting up CDI devices: unresolvable CDI devices {', '.join(missing)}",
            hint=f"Known in {', '.join(directories)}: {', '.join(sorted(known)) or 'none'}",
        )
    edits = Edits()
    done: list[int] = []
    for name in dict.fromkeys(wanted):
        path, common, own = known[name]
        parts = [own] if id(common) in done else [common, own]
        done.append(id(common))
        for part in parts:
            _add(edits, part, path)
    return edits


def device_names(directories: Sequence[str]) -> list[str]:
    """Return the names of all devices. Raises ConfigError."""
    return sorted(_devices(directories))


def apply(config: dict[str, Any], edits: Edits) -> None:
    """Apply the edits to config.json, except the devices: `oci.document.build` gets those."""
    process = config["process"]
    if edits.env:
        variables = dict(item.partition("=")[::2] for item in (*process["env"], *edits.env))
        process["env"] = [f"{name}={value}" for name, value in variables.items()]
    if edits.gids:
        groups = process["user"].setdefault("additionalGids", [])
        groups += [gid for gid in edits.gids if gid not in groups]
    config["mounts"] += edits.mounts
    add_hooks(config, edits.hooks)


def add_hooks(config: dict[str, Any], hooks: dict[str, list[dict[str, Any]]]) -> None:
    """Add hooks by stage to config.json."""
    if not hooks:
        return
    linux = config.pop("linux")  # must stay the last key: a seccomp profile's text is appended to it
    present = config.setdefault("hooks", {})
    for stage, entries in hooks.items():
        present[stage] = [*present.get(stage, []), *entries]
    config["linux"] = linux


def _devices(directories: Sequence[str]) -> dict[str, tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return name → (file, edits of the whole kind, edits of this device)."""
    found: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {}
    places: dict[str, int] = {}
    for file in trusted.read_all(directories, (".json", ".yaml")):
        document = _document(file)
        kind = document.get("kind")
        if not isinstance(kind, str) or kind.count("/") != 1:
            raise ConfigError(f"{file.path}: kind must be VENDOR/CLASS")
        for device in _dictionaries(document, "devices", file.path):
            name = f"{kind}={device.get('name')}"
            if places.get(name) == file.directory:
                raise ConfigError(f"{file.path}: {name} is in {found[name][0]}, too")
            places[name] = file.directory
            found[name] = (file.path, _dictionary(document, file.path), _dictionary(device, file.path))
    return found


def _document(file: trusted.Found) -> dict[str, Any]:
    try:
        document = _json(file.data) if file.path.endswith(".json") else _yaml(file.data)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file.path}: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{file.path}: a CDI spec is an object")
    return document


def _json(data: bytes) -> Any:
    from podpy import fastjson

    return fastjson.loads(data.decode())


def _yaml(data: bytes) -> Any:
    import yaml

    try:
        return yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _dictionary(value: dict[str, Any], path: str) -> dict[str, Any]:
    edits = value.get("containerEdits") or {}
    if not isinstance(edits, dict):
        raise ConfigError(f"{path}: containerEdits must be an object")
    return edits


def _dictionaries(value: dict[str, Any], name: str, path: str) -> list[dict[str, Any]]:
    items = value.get(name) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ConfigError(f"{path}: {name} must be a list of objects")
    return items


def _texts(value: dict[str, Any], name: str, path: str) -> list[str]:
    items = value.get(name) or []
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ConfigError(f"{path}: {name} must be a list of texts")
    return items


def _path(value: dict[str, Any], name: str, path: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found.startswith("/"):
        raise ConfigError(f"{path}: {name} must be an absolute path, not {found!r}")
    return found


def _add(edits: Edits, part: dict[str, Any], path: str) -> None:
    edits.env.extend(_texts(part, "env", path))
    for node in _dictionaries(part, "deviceNodes", path):
        inside = _path(node, "path", path)
        host = _path(node, "hostPath", path) if node.get("hostPath") else inside
        edits.devices.append(Device(host=host, container=inside, permissions=str(node.get("permissions") or "rwm")))
    edits.mounts.extend(_mount(mount, path) for mount in _dictionaries(part, "mounts", path))
    for hook in _dictionaries(part, "hooks", path):
        stage = str(hook.get("hookName"))
        if stage not in _STAGES:
            raise ConfigError(f"{path}: {stage!r} is no hook's name", hint=f"One of {', '.join(_STAGES)}")
        edits.hooks.setdefault(stage, []).append(hook_entry(hook, path))
    gids = part.get("additionalGids") or []
    if not isinstance(gids, list) or not all(isinstance(gid, int) and 0 <= gid < 0xFFFFFFFF for gid in gids):
        raise ConfigError(f"{path}: additionalGids must be a list of numbers")
    edits.gids.extend(gid for gid in gids if gid)  # 0 is ignored (SPEC.md, additionalGids)


def _mount(mount: dict[str, Any], path: str) -> dict[str, Any]:
    options = list(_texts(mount, "options", path))
    kind = str(mount.get("type") or "bind")
    if kind in ("bind", "none") and not {"bind", "rbind"}.intersection(options):
        options.append("rbind")
    source = mount.get("hostPath")
    if not isinstance(source, str) or not source:
        raise ConfigError(f"{path}: a mount without hostPath")
    return {
        "destination": _path(mount, "containerPath", path),
        "type": "bind" if kind == "none" else kind,
        "source": source,
        "options": options,
    }


def hook_entry(hook: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a hook (path, args, env, timeout) in the OCI runtime spec's form. Raises ConfigError."""
    entry: dict[str, Any] = {"path": _path(hook, "path", path)}
    entry.update({name: texts for name in ("args", "env") if (texts := _texts(hook, name, path))})
    timeout = hook.get("timeout")
    if timeout is not None:
        if not isinstance(timeout, int) or timeout <= 0:
            raise ConfigError(f"{path}: a hook's timeout must be a positive number of seconds")
        entry["timeout"] = timeout
    return entry


def _gpu_vendor(known: dict[str, Any]) -> str:
    for vendor in GPU_VENDORS:
        if any(name.startswith(f"{vendor}/gpu=") for name in known):
            return vendor
    raise NotFoundError(
        "no GPU is described: neither nvidia.com/gpu nor amd.com/gpu is known to CDI",
        hint="For NVIDIA: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
    )
