"""`podpy info`: YAML as Podman writes it, JSON, or a Go template over Podman's field names."""

from __future__ import annotations

import sys

from podpy.cli.called import engine_and_version
from podpy.cli.engine import open_runtime
from podpy.cli.show.report import is_json, render_each
from podpy.errors import UsageError
from podpy.go import json as gojson
from podpy.go.template.values import NilSlice, Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options

# Go's field names where they aren't the JSON name with a capital (libpod/define/info.go).
_GO_NAMES = {
    "apparmorEnabled": "AppArmorEnabled",
    "capabilities": "DefaultCapabilities",
    "cdiSpecDirs": "CDISpecDirs",
    "cgroupVersion": "CgroupsVersion",
    "container_id": "ContainerID",
    "cpuUtilization": "CPUUtilization",
    "cpus": "CPUs",
    "gidmap": "GIDMap",
    "host_id": "HostID",
    "id": "ID",
    "idMappings": "IDMappings",
    "ociRuntime": "OCIRuntime",
    "os": "OS",
    "seccompEnabled": "SECCOMPEnabled",
    "seccompProfilePath": "SECCOMPProfilePath",
    "selinuxEnabled": "SELinuxEnabled",
    "slirp4netns": "Slirp4NetNS",
    "uidmap": "UIDMap",
}
_MAPS = ("graphOptions", "graphStatus", "registries")


class InfoStruct(Struct):
    """A struct whose JSON names differ from its Go names."""

    __slots__ = ("json_names",)
    json_names: dict[str, str]

    def json_form(self) -> Struct:
        """Return the fields under their JSON names."""
        return Struct({self.json_names[name]: value for name, value in self.items()})


def run(options: Options) -> int:
    """Print facts about the host, the store and the engine's settings."""
    from podpy.libpod.system.info import info

    if options.debug_config:
        return _show_configuration(options)
    with open_runtime(options) as runtime:
        facts = info(runtime)
    facts["version"]["Version"] = engine_and_version()[1]
    if not options.given("format"):
        sys.stdout.write(yaml(facts))
    elif is_json(options.format):
        sys.stdout.write(gojson.indented(to_struct(facts), "  ") + "\n")
    else:
        sys.stdout.write(render_each(options.format, [to_struct(facts)]))
    return 0


def _show_configuration(options: Options) -> int:
    """Print each setting of containers.conf with the file that it comes from."""
    from podpy.go.table import align_rows
    from podpy.libpod.system.info import configuration

    with open_runtime(options) as runtime:
        found = configuration(runtime)
    if options.given("format"):
        if not is_json(options.format):
            raise UsageError("--debug-config has no fields for a template", hint="--format json gives all of it")
        rows = [
            {"Key": each.key, "Value": each.value, "Files": [*each.files], "WithoutEffect": each.without_effect}
            for each in found
        ]
        sys.stdout.write(gojson.indented(rows, "  ") + "\n")
        return 0
    lines = [
        (each.key, gojson.compact(each.value), " ".join(reversed(each.files)), each.without_effect) for each in found
    ]
    sys.stdout.write(align_rows([("KEY", "VALUE", "FILES", "WITHOUT EFFECT"), *lines]))
    return 0


def to_struct(value: Any) -> Any:
    """Return dictionaries with JSON names as structs with Go's names; None stands for a nil slice."""
    if value is None:
        return NilSlice()
    if isinstance(value, list):
        return [to_struct(item) for item in value]
    if not isinstance(value, dict):
        return value
    names = {_GO_NAMES.get(name, name[:1].upper() + name[1:]): name for name in value}
    struct = InfoStruct({go: value[name] if name in _MAPS else to_struct(value[name]) for go, name in names.items()})
    struct.json_names = names
    return struct


def yaml(value: dict[str, Any], indent: str = "") -> str:
    """Return dictionaries, lists and plain values as YAML, in the style of Go's yaml package: sorted keys."""
    text = ""
    for name in sorted(value):
        item = value[name]
        key = f"{indent}{_scalar(name)}:"
        if isinstance(item, dict) and item:
            text += f"{key}\n{yaml(item, indent + '  ')}"
        elif isinstance(item, list) and item:
            text += f"{key}\n{''.join(_item(member, indent) for member in item)}"
        else:
            text += f"{key} {_block(item, indent)}\n"
    return text


def _item(member: Any, indent: str) -> str:
    if isinstance(member, dict):
        return f"{indent}- {yaml(member, indent + '  ').lstrip()}"
    return f"{indent}- {_scalar(member)}\n"


def _block(value: Any, indent: str) -> str:
    if isinstance(value, str) and "\n" in value:
        lines = value.rstrip("\n").split("\n")
        return "|-\n" + "\n".join(f"{indent}  {line}" for line in lines)
    return _scalar(value)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    if not isinstance(value, str):
        return str(value)
    return gojson.compact(value) if _must_be_quoted(value) else value


def _must_be_quoted(text: str) -> bool:
    special = text[:1] in "-?:,[]{}#&*!|>'\"%@` " or ": " in text or " #" in text or text[-1:] in (":", " ")
    words = ("true", "false", "null", "yes", "no", "on", "off", "~", "")
    return special or text.lower() in words or text.replace(".", "", 1).replace("_", "").isdigit()
