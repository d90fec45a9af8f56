"""One container of `ps`: its texts for the standard columns, and all of Podman's placeholders for --format."""

from __future__ import annotations

from time import time_ns

from podpy import fastjson
from podpy.cli.show.ports import expanded, ports_text
from podpy.go.units import ago, human_duration, human_size
from podpy.libpod.containers.table import shown_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.go.template.values import Struct
    from podpy.libpod.containers.table import ContainerRow, Glance

_SECOND = 1_000_000_000
_SHORT_ID = 12
_COMMAND_WIDTH = 17
_NEVER = -62135596800  # Go's zero time in seconds since 1970
_NAMESPACES = ("mnt", "cgroup", "ipc", "net", "pid", "uts", "user")


class Look:
    """How a list is shown: what --no-trunc, --size and --ns say, and what "now" is."""

    def __init__(self, *, cut: bool = True, sizes: dict[str, tuple[int, int]] | None = None, namespaces: bool = False):
        self.cut = cut
        self.sizes = sizes  # by id: of the writable layer, and with the image
        self.namespaces = namespaces
        self.now = time_ns()
        self.commands: dict[str, str] = {}  # the texts of commands: many containers have the same


def short(identifier: str, look: Look) -> str:
    """Return the first 12 digits of an id, or all of them with --no-trunc."""
    return identifier[:_SHORT_ID] if look.cut else identifier


def state_of(row: ContainerRow) -> str:
    """Return Podman's word for a container's state."""
    return shown_status(row.status, row.started)


def standard_cells(glances: list[Glance], look: Look) -> list[tuple[str, ...]]:
    """Return the texts of the standard columns: id, image, command, created, status, ports, name."""
    width = _SHORT_ID if look.cut else None
    now = look.now
    return [
        (
            identifier[:width],
            image,
            command_text(command, look),
            ago(created, now),
            status_words(status, started, finished, code, now),
            "" if ports == exposed == "[]" else ports_text(fastjson.loads(ports), fastjson.loads(exposed)),
            name,
        )
        for identifier, name, image, command, created, status, started, finished, code, ports, exposed in glances
    ]


def status_text(row: ContainerRow, look: Look) -> str:
    """Return "Up 3 seconds", "Exited (0) 5 minutes ago", "Created" …"""
    return status_words(row.status, row.started, row.finished, row.exit_code, look.now)


def status_words(status: str, started: int, finished: int, exit_code: int, now: int) -> str:
    """Return the same from a row's columns and "now", in nanoseconds since 1970."""
    shown = shown_status(status, started)
    if shown == "exited":
        return f"Exited ({exit_code}) {ago(finished, now)}"
    if shown == "running":
        return "Up " + human_duration((now - started) / _SECOND)
    return shown.title()


def command_text(command: str, look: Look) -> str:
    """Return the command (a JSON list) on one line, cut after 17 characters."""
    text = look.commands.get(command)
    if text is None:
        words = " ".join(fastjson.loads(command))
        text = words[:_COMMAND_WIDTH] + "..." if look.cut and len(words) > _COMMAND_WIDTH else words
        look.commands[command] = text
    return text


def size_text(row: ContainerRow, look: Look) -> str:
    """Return "12kB (virtual 4.5MB)", or nothing without --size."""
    if look.sizes is None:
        return ""
    writable, everything = look.sizes.get(row.id, (0, 0))
    return f"{human_size(writable, precision=3)} (virtual {human_size(everything, precision=3)})"


def namespaces_of(row: ContainerRow, look: Look) -> dict[str, str]:
    """Return the numbers of a running container's namespaces, by the names in /proc/PID/ns."""
    if not look.namespaces or not row.pid:
        return dict.fromkeys(_NAMESPACES, "")
    from os import readlink

    numbers = {}
    for name in _NAMESPACES:
        try:
            numbers[name] = readlink(f"/proc/{row.pid}/ns/{name}").partition("[")[2].rstrip("]")
        except OSError:  # it has just ended, or belongs to another user namespace
            numbers[name] = ""
    return numbers


def placeholders(row: ContainerRow, look: Look) -> Struct:
    """Return the fields that --format can show; as JSON it is Podman's ListContainer."""
    from podpy.go.template.values import Struct

    class Shown(Struct):
        """In a template `.Names` is a text and `.Size` is "1kB (virtual …)"; in JSON they are raw values."""

        __slots__ = ()

        def json_form(self) -> Struct:
            return json_row(row, look)

    raw = json_row(row, look)
    labels: dict[str, str] = raw["Labels"] or {}
    spaces = raw["Namespaces"]
    from podpy.go.time import GoTime

    shown = {
        "ID": short(row.id, look),
        "ImageID": short(row.image_id, look),
        "Command": command_text(row.command, look),
        "Created": GoTime(row.created),
        "CreatedAt": str(GoTime(row.created)),
        "CreatedHuman": ago(row.created, look.now),
        "RunningFor": ago(row.created, look.now),
        "Status": status_text(row, look),
        "Names": row.name,
        "Networks": ",".join(raw["Networks"]),
        "Ports": ports_text(fastjson.loads(row.ports), fastjson.loads(row.exposed)),
        "Size": size_text(row, look),
        "Restarts": str(row.restarts),
        "Labels": ",".join(f"{name}={labels[name]}" for name in sorted(labels)),
        "Label": lambda name: labels.get(name, ""),
        "Mounts": raw["Mounts"],
        "Cgroup": spaces.get("Cgroup", ""),
        "IPC": spaces.get("Ipc", ""),
        "MNT": spaces.get("Mnt", ""),
        "NET": spaces.get("Net", ""),
        "PIDNS": spaces.get("Pidns", ""),
        "UTS": spaces.get("Uts", ""),
        "User": spaces.get("User", ""),
        "CGROUPNS": spaces.get("Cgroup", ""),
        "USERNS": spaces.get("User", ""),
    }
    result = Shown({name: value for name, value in raw.items() if name != "Id"})
    result.update(shown)
    result["Namespaces"] = Struct(
        {name: shown[name] for name in ("MNT", "Cgroup", "IPC", "NET", "PIDNS", "UTS", "User")}
    )
    return result


def json_row(row: ContainerRow, look: Look) -> Struct:
    """Return Podman's ListContainer as it is in `ps --format json`."""
    from podpy.go.template.values import Struct

    spec: dict[str, Any] = fastjson.loads(row.spec)
    return Struct(
        AutoRemove=spec["remove"],
        Command=fastjson.loads(row.command),
        CreatedAt=ago(row.created, look.now),
        CIDFile=spec["cidfile"],
        Exited=row.status == "exited",
        ExitedAt=row.finished // _SECOND if row.finished else _NEVER,
        ExitCode=row.exit_code,
        ExposedPorts=expanded(spec["expose"]) or None,
        Id=row.id,
        Image=row.image_name,
        ImageID=row.image_id,
        IsInfra=False,
        Labels=row.labels_dict() or None,
        Mounts=[mount["target"] for mount in spec["mounts"]],
        Names=[row.name],
        Namespaces=_json_namespaces(row, look),
        Networks=_networks(spec["network"]),
        Pid=row.pid,
        Pod="",
        PodName="",
        Ports=[_json_port(port) for port in fastjson.loads(row.ports)] or None,
        Restarts=row.restarts,
        Size=_json_size(row, look),
        StartedAt=row.started // _SECOND if row.started else _NEVER,
        State=state_of(row),
        Status=status_text(row, look),
        Created=row.created // _SECOND,
    )


def _networks(mode: str | None) -> list[str]:
    # Podman lists only networks that `network ls` shows; none, host, pasta … aren't of that kind.
    name = (mode or "").partition(":")[0]  # None: the row that a table's heading is made with
    return [] if name in ("", "none", "host", "private", "pasta", "slirp4netns", "container", "ns") else [name]


def _json_port(port: dict[str, Any]) -> Struct:
    from podpy.go.template.values import Struct

    return Struct(
        host_ip=port["host_ip"],
        container_port=port["container_port"],
        host_port=port["host_port"],
        range=port["count"],
        protocol=port["protocol"],
    )


def _json_namespaces(row: ContainerRow, look: Look) -> Struct:
    from podpy.go.template.values import Struct

    names = {"mnt": "Mnt", "cgroup": "Cgroup", "ipc": "Ipc", "net": "Net", "pid": "Pidns", "uts": "Uts", "user": "User"}
    return Struct({names[name]: number for name, number in namespaces_of(row, look).items() if number})


def _json_size(row: ContainerRow, look: Look) -> Struct | None:
    from podpy.go.template.values import Struct

    if look.sizes is None:
        return None
    writable, everything = look.sizes.get(row.id, (0, 0))
    return Struct(rootFsSize=everything, rwSize=writable)
