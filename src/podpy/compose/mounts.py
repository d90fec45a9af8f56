"""`volumes`, `volumes_from`, `configs`, `secrets` of a service, and the volumes of the file (05, 07, 08, 09)."""

from __future__ import annotations

import os

from podpy.compose.node import external, nearest
from podpy.compose.service import LABEL
from podpy.quadlet.words import quoted
from podpy.quadlet.writing import literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.compose.node import Node
    from podpy.compose.project import Project
    from podpy.compose.service import Service

_SECRETS = "/run/secrets"
_LOCAL = ("/", "./", "../", "~")
_OF_MACS = ("cached", "delegated", "consistent")


def volumes(service: Service, node: Node) -> None:
    """Take over mounts, in their short and long forms."""
    for item in node.items():
        if item.is_mapping:
            _long(service, item)
        else:
            _short(service, item)


def _short(service: Service, item: Node) -> None:
    parts = item.text().split(":")
    if len(parts) == 1:
        service.say("--volume", parts[0])
        return
    source, target, *modes = parts
    if len(modes) > 1:
        item.tell("too many colons", hint="SOURCE:TARGET:OPTIONS, or the long form")
    options = [option for option in (modes[0].split(",") if modes else []) if option not in _OF_MACS]
    if source.startswith(_LOCAL) or source in (".", ".."):
        path = service.project.absolute(source)
        _make(service, path)
        source = path
    else:
        source = reference(item, source, service.project)
    service.say("--volume", ":".join([source, target, *filter(None, [",".join(options)])]))


def _make(service: Service, path: str) -> None:
    """Let the unit make a directory that isn't there, as compose does."""
    if not os.path.lexists(path):
        service.lines.append(f"ExecStartPre=/bin/mkdir -p {quoted(literal(path))}")


def reference(item: Node, name: str, project: Project) -> str:
    """Return a volume as `Volume=` has it: its file, or the name of one that is there already."""
    if name not in project.volumes:
        item.tell(f"no volume {name} is there", hint=nearest(name, project.volumes) or f"volumes: {name}:")
        return name
    return external(project.volumes[name].entries(), name) or f"{project.name}-{name}.volume"


def _long(service: Service, item: Node) -> None:
    keys = item.known("type", "source", "target", "read_only", "consistency", "bind", "volume", "tmpfs", "image")
    kind = keys["type"].text() if "type" in keys else "volume"
    if kind not in _TYPES:
        item.tell(f"podpy has no mounts of the type {kind}", hint=", ".join(_TYPES))
        return
    if "target" not in keys:
        item.tell("target is missing")
        return
    for other in ("bind", "volume", "tmpfs", "image"):
        if other != kind and other in keys:
            keys[other].tell(f"is for the type {other}, not {kind}", fatal=False)
    source = keys["source"].text() if "source" in keys else ""
    fields = [f"type={kind}"]
    fields += _TYPES[kind](service, item, source, keys.get(kind))
    fields.append(f"target={keys['target'].text()}")
    if "read_only" in keys and keys["read_only"].flag():
        fields.append("readonly")
    service.say("--mount", ",".join(map(_csv, fields)))


def _csv(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if "," in field or '"' in field else field


def _bind(service: Service, item: Node, source: str, more: Node | None) -> list[str]:
    if not source:
        item.tell("source is missing")
    path = service.project.absolute(source)
    fields = [f"source={path}"]
    keys = more.known("propagation", "create_host_path", "recursive", "selinux") if more else {}
    if "create_host_path" not in keys or keys["create_host_path"].flag():
        _make(service, path)
    for key, value in keys.items():
        text = value.text()
        if key == "propagation":
            fields.append(f"bind-propagation={text}")
        elif key == "selinux":
            fields.append(f"relabel={'private' if text == 'Z' else 'shared'}")
        elif key == "recursive" and text == "disabled":
            fields.append("bind-nonrecursive")
        elif key == "recursive" and text != "enabled":
            value.tell("podpy makes what is below the mount neither more nor less writable")
    return fields


def _volume(service: Service, item: Node, source: str, more: Node | None) -> list[str]:
    fields = [f"source={reference(item, source, service.project)}"] if source else []
    for key, value in (more.known("labels", "nocopy", "subpath") if more else {}).items():
        if key == "subpath":
            fields.append(f"subpath={value.text()}")
        elif key == "labels":
            value.tell("podpy gives labels to volumes with files of their own alone", fatal=False)
        elif value.flag():
            value.tell("podpy has no such option in the long form", hint="the short one: NAME:TARGET:nocopy")
    return fields


def _tmpfs(service: Service, item: Node, source: str, more: Node | None) -> list[str]:
    keys = more.known("size", "mode") if more else {}
    fields = [f"tmpfs-size={keys['size'].size()}"] if "size" in keys else []
    return [*fields, f"tmpfs-mode={keys['mode'].mode()}"] if "mode" in keys else fields


def _image(service: Service, item: Node, source: str, more: Node | None) -> list[str]:
    fields = [f"source={source}"]
    for key, value in (more.known("subpath") if more else {}).items():
        fields.append(f"{key}={value.text()}")
    return fields


_TYPES: dict[str, Callable[[Service, Node, str, Node | None], list[str]]] = {
    "bind": _bind,
    "volume": _volume,
    "tmpfs": _tmpfs,
    "image": _image,
}


def volumes_from(service: Service, node: Node) -> None:
    """Take over the mounts of other services or containers."""
    for item in node.items():
        text = item.text()
        if text.startswith("container:"):
            service.say("--volumes-from", text.removeprefix("container:"))
        else:
            name, colon, options = text.partition(":")
            service.say("--volumes-from", f"{service.other(item, name)}{colon}{options}")


def configs(service: Service, node: Node) -> None:
    """Mount configs, which are files."""
    for item in node.items():
        _file(service, item, "config", service.project.configs, "/")


def secrets(service: Service, node: Node) -> None:
    """Mount secrets: files, or podpy's own secrets."""
    for item in node.items():
        _file(service, item, "secret", service.project.secrets, f"{_SECRETS}/")


def _file(service: Service, item: Node, kind: str, known: dict[str, Node], directory: str) -> None:
    keys = item.known("source", "target", "uid", "gid", "mode") if item.is_mapping else {}
    name = keys["source"].text() if "source" in keys else "" if item.is_mapping else item.text()
    if name not in known:
        item.tell(f"no {kind} {name} is there", hint=nearest(name, known))
        return
    target = os.path.join(directory, keys["target"].text() if "target" in keys else name)
    source = known[name].known("name", "file", "environment", "content", "external", "labels", "template_driver",
                               "driver", "driver_opts")  # fmt: skip
    stored = external(source, name)
    if stored:
        _stored(service, item, kind, stored, target, keys)
        return
    for key in ("uid", "gid", "mode"):
        if key in keys:
            keys[key].tell("docker compose doesn't set it for a file, either: it stays as it is", fatal=False)
    if "file" in source:
        path = service.project.absolute(source["file"].text())
        if not os.path.exists(path):
            source["file"].tell(f"{path} isn't there")
        service.say("--volume", f"{path}:{target}:ro")
    elif kind == "config" and ("content" in source or "environment" in source):
        companion = f"{service.project.name}-{name}.config"
        service.companions[companion] = _content(source)
        service.say("--volume", f"./{companion}:{target}:ro")
    else:
        hint = f"podpy secret create --env {name} VARIABLE, then external: true" if kind == "secret" else "file:"
        known[name].tell(f"a {kind} needs a file here", hint=hint)


def _content(source: dict[str, Node]) -> str:
    if "content" in source:
        return source["content"].text()
    variable = source["environment"].text()
    variables = source["environment"].notes.variables
    if variable not in variables:
        source["environment"].tell(f"the variable {variable} is not set")
    return variables.get(variable, "")


def _stored(service: Service, item: Node, kind: str, name: str, target: str, keys: dict[str, Node]) -> None:
    """Mount one of podpy's secrets."""
    if kind == "config":
        item.tell("podpy stores secrets, but no configs", hint="file:")
        return
    fields = [name, f"target={target}"] if target != f"{_SECRETS}/{name}" else [name]
    fields += [f"{key}={keys[key].text()}" for key in ("uid", "gid") if key in keys]
    fields += [f"mode=0{keys['mode'].mode()}"] if "mode" in keys else []
    service.say("--secret", ",".join(fields))


def volume_file(name: str, project: Project) -> str:
    """Return the text of a volume's file, empty for one that is there already (`external`)."""
    node = project.volumes[name]
    keys = node.known("name", "driver", "driver_opts", "external", "labels")
    if external(keys, name):
        return ""
    lines = [f"VolumeName={literal(keys['name'].text() if 'name' in keys else f'{project.name}_{name}')}"]
    if "driver" in keys and keys["driver"].text() not in ("local", "default"):
        keys["driver"].tell(f"podpy has no volume driver {keys['driver'].text()}", hint="local")
    for option, value in (keys["driver_opts"].pairs() if "driver_opts" in keys else {}).items():
        if option not in ("type", "device", "o"):
            keys["driver_opts"].tell(f"podpy's volumes have no option {option}", hint="type, device, o")
            continue
        key = {"type": "Type", "device": "Device", "o": "Options"}[option]
        lines.append(f"{key}={literal(value or '')}")
    labels = [f"{LABEL}.project={project.name}", f"{LABEL}.volume={name}"]
    labels += [f"{key}={value or ''}" for key, value in (keys["labels"].pairs() if "labels" in keys else {}).items()]
    return "\n".join(["[Volume]", *lines, *[f"Label={quoted(literal(label))}" for label in labels], ""])
