"""A pod's volumes: their kinds, and the files of ConfigMaps, Secrets and fields."""

from __future__ import annotations

from podpy.kube.translate.environment import amount
from podpy.kube.translate.fields import field_lines
from podpy.kube.translate.quantities import up
from podpy.record import Record
from podpy.yaml.places import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.kube.translate.context import Context
    from podpy.yaml.places import Mapping

HOST, CLAIM, EMPTY, FILES, IMAGE, ABSENT = "host", "claim", "empty", "files", "image", "absent"
_DEFAULT_MODE = 0o644
_EMPTY_MODE = 0o777  # the kubelet's mode: containers of one pod may have different users
_HOST_TYPES = ("", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket", "CharDevice", "BlockDevice")
_POLICIES = ("Always", "IfNotPresent", "Never", "")


class File(Record):
    """A file of a volume: its path in the volume, bytes and mode."""

    path: str
    data: bytes
    mode: int = _DEFAULT_MODE


class Volume(Record):
    """A pod's volume. `where`: its source in the YAML, for errors."""

    name: str
    kind: str
    where: Mapping
    source: str = ""  # a path of the host, the name of podpy's volume, or an image
    host_type: str = ""
    read_only: bool = False
    files: list[File] = []
    in_memory: bool = False
    size: int = 0  # bytes; 0: no limit
    mode: int = _EMPTY_MODE
    pull_policy: str = ""
    origin: dict[str, Any] = {}  # of files: the volume as it stands in the YAML


def volumes(spec: Mapping, context: Context) -> dict[str, Volume]:
    """Return a pod's volumes by name. Raises UsageError."""
    found: dict[str, Volume] = {}
    for each in spec.get("volumes", []):
        name = each.get("name", "")
        if not name:
            raise each.wrong("name", "a volume needs a name")
        if name in found:
            raise each.wrong("name", f'duplicate volume name "{name}"')
        found[name] = _volume(name, each, context)
    return found


def _volume(name: str, each: Mapping, context: Context) -> Volume:
    makers: dict[str, Callable[[str, Mapping, Context], Volume]] = {
        "hostPath": _host_path,
        "emptyDir": _empty,
        "configMap": _configmap,
        "secret": _secret,
        "persistentVolumeClaim": _claim,
        "image": _image,
        "downwardAPI": _downward,
        "projected": _projected,
    }
    kinds = [key for key in each if key != "name"]
    if len(kinds) != 1 or kinds[0] not in makers:
        key = kinds[0] if kinds else ""
        raise each.wrong(key, f'failed to create volume "{name}": a volume is one of {", ".join(makers)}')
    made = makers[kinds[0]](name, each[kinds[0]], context)
    return made.replace(origin=plain(each)) if made.kind == FILES else made


def _host_path(name: str, source: Mapping, _context: Context) -> Volume:
    path, kind = source.get("path", ""), source.get("type", "")
    if not path.startswith("/"):
        raise source.wrong("path", f'failed to create volume "{name}": hostPath must be an absolute path')
    if kind not in _HOST_TYPES:
        raise source.wrong("type", f"invalid HostPath type {kind}", hint=f"One of {', '.join(_HOST_TYPES[1:])}")
    return Volume(name=name, kind=HOST, where=source, source=path, host_type=kind)


def _claim(name: str, source: Mapping, _context: Context) -> Volume:
    if not source.get("claimName"):
        raise source.wrong("claimName", "persistent volume claim name can not be empty")
    read_only = source.get("readOnly", False)
    return Volume(name=name, kind=CLAIM, where=source, source=source["claimName"], read_only=read_only)


def _empty(name: str, source: Mapping, _context: Context) -> Volume:
    medium = source.get("medium", "")
    if medium not in ("", "Memory") and not medium.startswith("HugePages"):
        raise source.wrong("medium", f'"{medium}" is not a medium', hint='"" or Memory')
    size = up(amount(source, "sizeLimit")) if "sizeLimit" in source else 0
    mode = _mode(source, "mode", _EMPTY_MODE)
    return Volume(name=name, kind=EMPTY, where=source, in_memory=medium != "", size=size, mode=mode)


def _image(name: str, source: Mapping, _context: Context) -> Volume:
    if not source.get("reference"):
        raise source.wrong("reference", "the name of the image is missing")
    if source.get("pullPolicy", "") not in _POLICIES:
        raise source.wrong("pullPolicy", f'"{source["pullPolicy"]}" is not a pull policy')
    policy = source.get("pullPolicy", "")
    return Volume(name=name, kind=IMAGE, where=source, source=source["reference"], read_only=True, pull_policy=policy)


# Volumes of files


def _configmap(name: str, source: Mapping, context: Context) -> Volume:
    files = _of_reference(source, "name", "ConfigMap", context.references.configmap, _mode(source, "defaultMode"))
    return _of_files(name, source, files)


def _secret(name: str, source: Mapping, context: Context) -> Volume:
    files = _of_reference(source, "secretName", "secret", context.references.secret, _mode(source, "defaultMode"))
    return _of_files(name, source, files)


def _downward(name: str, source: Mapping, context: Context) -> Volume:
    return _of_files(name, source, _of_fields(source, context, _mode(source, "defaultMode")))


def _projected(name: str, source: Mapping, context: Context) -> Volume:
    mode = _mode(source, "defaultMode")
    files: list[File] = []
    for each in source.get("sources", []):
        if "configMap" in each:
            files += _of_reference(each["configMap"], "name", "ConfigMap", context.references.configmap, mode) or []
        elif "secret" in each:
            files += _of_reference(each["secret"], "name", "secret", context.references.secret, mode) or []
        elif "downwardAPI" in each:
            files += _of_fields(each["downwardAPI"], context, mode)
        elif "serviceAccountToken" not in each:  # podpy has no API server to which the token would give access
            raise each.wrong("", "this source of a projected volume isn't supported")
    return _of_files(name, source, files)


def _of_files(name: str, source: Mapping, files: list[File] | None) -> Volume:
    if files is None:
        return Volume(name=name, kind=ABSENT, where=source)
    return Volume(name=name, kind=FILES, where=source, files=files, read_only=True)


def _of_reference(
    source: Mapping, key: str, what: str, find: Callable[[str], dict[str, bytes] | None], mode: int
) -> list[File] | None:
    """Return the files of a ConfigMap or Secret; None if it is optional and missing."""
    name = source.get(key, "")
    data = find(name)
    if data is None:
        if source.get("optional"):
            return None
        raise source.wrong(key, f'no such {what} "{name}"')
    if "items" not in source:
        return [File(path=_file_name(source, key, each), data=data[each], mode=mode) for each in data]
    return [_item(item, data, mode, f'{what} "{name}"') for item in source["items"] if _has(item, data, source)]


def _has(item: Mapping, data: dict[str, bytes], source: Mapping) -> bool:
    if item.get("key", "") in data:
        return True
    if source.get("optional"):
        return False
    raise item.wrong("key", f'there is no key "{item.get("key", "")}"')


def _item(item: Mapping, data: dict[str, bytes], mode: int, _what: str) -> File:
    return File(path=_relative(item, "path"), data=data[item["key"]], mode=_mode(item, "mode", mode))


def _of_fields(source: Mapping, context: Context, mode: int) -> list[File]:
    files = []
    for item in source.get("items", []):
        if "fieldRef" not in item:
            raise item.wrong("", "only fieldRef is supported here")
        text = field_lines(item["fieldRef"], item.get("path", ""), context)
        files.append(File(path=_relative(item, "path"), data=text.encode(), mode=_mode(item, "mode", mode)))
    return files


def _file_name(source: Mapping, field: str, key: str) -> str:
    if "/" in key or "\0" in key or key in ("", ".", ".."):
        raise source.wrong(field, f'"{key}" can\'t be the name of a file', hint="Name a path for it with items")
    return key


def _relative(item: Mapping, key: str) -> str:
    path: str = item.get(key, "")
    parts = path.split("/")
    if "" in parts or ".." in parts or "." in parts or "\0" in path:
        raise item.wrong(key, f'"{path}" is not a path below the volume')
    return path


def _mode(source: Mapping, key: str, default: int = _DEFAULT_MODE) -> int:
    mode: int = source.get(key, default)
    if not 0 <= mode <= 0o777:
        raise source.wrong(key, "a mode must be between 0000 and 0777", hint="0644 is octal; 644 isn't: it is 01204")
    return mode
