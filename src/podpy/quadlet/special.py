"""Keys that are more than an option and its value. Each function takes the conversion, the key and its option, and
returns words of the command line; it may add lines to the unit.
"""

from __future__ import annotations

import os

from podpy.quadlet.context import NOT_FOUND
from podpy.quadlet.draft import service_of
from podpy.quadlet.keys import ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.quadlet.context import Context

_STORED = ("volume", "bind", "glob", "image", "artifact")  # types of mounts that have a source
_AUTO_UPDATE = "io.containers.autoupdate"
_VOLATILE_TMP = "/tmp:rw,size=512M,mode=1777"


def networks(context: Context, key: str, option: str) -> list[str]:
    """Return `--network` for each network; those of files by their names."""
    found = []
    for value in context.own.values(key):
        name, colon, options = value.partition(":")
        if name.endswith((".network", ".container")):
            joins = name.endswith(".container")
            if joins and colon:
                context.fail("extra options are not supported when joining another container's network", key)
            context.need(name, f"requested Quadlet unit {name} {NOT_FOUND}", key)
            reference = context.after(name)
            value = f"container:{reference}" if joins else f"{reference}{colon}{options}"
        found += [option, value]
    return found


def volumes(context: Context, key: str, option: str) -> list[str]:
    """Return `-v` for each volume, its source resolved."""
    found = []
    for value in context.own.values(key):
        source, colon, rest = value.partition(":")
        if colon and source:
            value = f"{context.storage(source, key, images=False)}:{rest}"
        elif colon:
            value = rest
        found += [option, value]
    return found


def mounts(context: Context, key: str, option: str) -> list[str]:
    """Return `--mount` for each mount, its source resolved."""
    return [word for value in context.own.words(key) for word in (option, _mount(context, key, value))]


def _mount(context: Context, key: str, value: str) -> str:
    try:
        parts = _fields(value)
    except ValueError as error:
        context.fail(f"{key}={value}: {error}", key)
        return value
    types = [part.removeprefix("type=") for part in parts if part.startswith("type=")]
    kind = types[0] if types else "volume"
    if kind not in _STORED:
        return value
    parts = [part for part in parts if not part.startswith("type=")]
    sources = [number for number, part in enumerate(parts) if part.partition("=")[0] in ("source", "src")]
    source = parts[sources[-1]].partition("=")[2] if sources else ""
    if source:
        parts[sources[-1]] = f"source={context.storage(source, key, images=True)}"
    elif kind != "volume":
        context.fail(f"source parameter is required for mount type {kind}", key)
    return ",".join(map(_field, [f"type={kind}", *parts]))


def _fields(text: str) -> list[str]:
    """Return the fields of a line of comma-separated values (RFC 4180). Raises ValueError."""
    found, at = [], 0
    while at <= len(text):
        if text[at : at + 1] != '"':
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            found.append(text[at:end])
        else:
            end = at + 1
            while (end := text.find('"', end)) >= 0 and text[end : end + 2] == '""':
                end += 2
            if end < 0 or text[end + 1 : end + 2] not in ("", ","):
                raise ValueError("a quote that isn't closed")
            found.append(text[at + 1 : end].replace('""', '"'))
            end += 1
        at = end + 1
    return found


def _field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(letter in text for letter in ',"\n') else text


def paths(context: Context, key: str, option: str) -> list[str]:
    """Return the option for each file; a relative one lies in the unit file's directory."""
    return [word for value in context.own.words(key) for word in (option, context.absolute(value))]


def files(context: Context, key: str, option: str) -> list[str]:
    """Return the same for words in which a backslash is one."""
    return [word for value in context.own.words(key, escapes=False) for word in (option, context.absolute(value))]


def devices(context: Context, key: str, option: str) -> list[str]:
    """Return `--device` for each device; one with `-` before it only if the host has it now."""
    found = []
    for device in context.own.words(key, escapes=False):
        if device.startswith("-"):
            device = device[1:]
            if not os.path.exists(device.partition(":")[0]):
                continue
        found += [option, device]
    return found


def ports(context: Context, key: str, option: str) -> list[str]:
    """Return `--expose` for each port or range."""
    found = []
    for value in context.own.values(key):
        numbers, _, protocol = value.partition("/")
        first, dash, last = numbers.partition("-")
        is_right = first.isdecimal() and first.isascii() and (not dash or (last.isdecimal() and last.isascii()))
        if not is_right or protocol not in ("", "tcp", "udp"):
            context.fail(f"invalid port format '{value}'", key)
        found += [option, value]
    return found


def user(context: Context, key: str, option: str) -> list[str]:
    """Return `--user USER[:GROUP]`."""
    who, group = context.own.last(key), context.own.last("Group")
    return [option, f"{who}:{group}" if group else who] if who else []


def cgroups(context: Context, key: str, option: str) -> list[str]:
    """Return `--cgroups MODE`."""
    mode = context.own.last(key)
    return [option, mode] if mode else ["--cgroups=split"]


def volatile(context: Context, key: str, option: str) -> list[str]:
    """Return the tmpfs for /tmp of Quadlet's first version, which ReadOnly brings anyway."""
    wanted = context.own.boolean(key) and not context.own.boolean("ReadOnly")
    return [option, _VOLATILE_TMP] if wanted else []


def pod(context: Context, key: str, option: str) -> list[str]:
    """Return `--pod` and bind the unit to the pod's. `%N` stands for this unit's name, as in Podman."""
    name = context.own.last(key)
    if not name:
        return []
    name = name.replace("%N", context.draft.service.removesuffix(".service"))
    if not name.endswith(".pod"):
        context.fail(f"pod {name} is not Quadlet based", key, hint=f"is there a file {name}.pod?")
        return []
    context.need(name, f"quadlet pod unit {name} does not exist", key)
    reference = context.after(name, "BindsTo")
    context.draft.pod = name
    context.draft.starts = not context.base.endswith("@") and context.own.boolean("StartWithPod", default=True)
    return [option, reference]


def updates(context: Context, key: str, option: str) -> list[str]:
    """Return the annotations for `auto-update`: of all containers, or of one (CONTAINER/HOW)."""
    found = []
    for value in context.own.words(key, escapes=False):
        container, slash, how = value.partition("/")
        found.append(f"{option}{_AUTO_UPDATE}/{container}={how}" if slash else f"{option}{_AUTO_UPDATE}={value}")
    return found


def subnets(context: Context, key: str, option: str) -> list[str]:
    """Return the subnets, each with its gateway and range."""
    own = context.own
    gateways, ranges = own.values("Gateway"), own.values("IPRange")
    found = []
    for number, subnet in enumerate(own.values(key)):
        found += [option, subnet]
        found += ["--gateway", gateways[number]] if number < len(gateways) else []
        found += ["--ip-range", ranges[number]] if number < len(ranges) else []
    return found


def remap(context: Context, key: str, option: str) -> list[str]:
    """Return what the old keys for id maps mean."""
    own = context.own
    how = own.last(key)
    uids, gids = own.words("RemapUid", escapes=False), own.words("RemapGid", escapes=False)
    if how == "manual" and context.ending != ".kube":
        return [
            *(word for value in uids for word in ("--uidmap", value)),
            *(word for value in gids for word in ("--gidmap", value)),
        ]
    if how == "auto":
        size = own.last("RemapUidSize")
        options = [f"uidmapping={value}" for value in uids] + [f"gidmapping={value}" for value in gids]
        options += [f"size={size}"] if size.isdecimal() and int(size) else []
    elif how == "keep-id":
        for name, values in (("UID", uids), ("GID", gids)):
            if len(values) > 1:
                context.fail(f"RemapUsers=keep-id supports only a single value for {name} mapping", key)
        options = [f"uid={value}" for value in uids] + [f"gid={value}" for value in gids]
    else:
        text = "RemapUsers=manual is not supported" if how == "manual" else f"unsupported RemapUsers option '{how}'"
        context.fail(text, key)
        return []
    return [option, f"{how}:{','.join(options)}" if options else how]


def check_mappings(context: Context) -> None:
    """Refuse old keys for id maps beside the new ones, or without RemapUsers."""
    own = context.own
    if any(own.last(key) for key in ("UserNS", "UIDMap", "GIDMap", "SubUIDMap", "SubGIDMap")):
        for key in ("RemapUsers", "RemapUid", "RemapGid"):
            if key in own:
                context.fail("deprecated Remap keys are set along with explicit mapping keys", key)
                return
    elif not own.last("RemapUsers"):
        for key, name in (("RemapUid", "UidMap"), ("RemapGid", "GidMap")):
            if own.last(key):
                context.fail(f"{name} set without RemapUsers", key)


def dependencies(context: Context, keys: tuple[str, ...]) -> None:
    """Replace the names of Quadlet's files in [Unit] by those of their units."""
    for key in keys:
        words = context.unit.words(key, escapes=False)
        if not any(map(ending, words)):
            continue
        for word in filter(ending, words):
            if not word.endswith(f"@{ending(word)}"):  # a template's file may be on root's search path
                context.need(word, f"unable to translate dependency for {word}", key, context.unit)
        names = [service_of(word) if ending(word) else word for word in words]
        context.service.drop("Unit", key)
        context.service.add("Unit", f"{key}={' '.join(names)}")
