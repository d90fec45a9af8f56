"""One container in `ps`: the texts of the standard columns, and Podman's placeholders for --format."""

from __future__ import annotations

from time import time_ns

from podpy import fastjson
from podpy.go.units import ago, human_size
from podpy.libpod.containers.rows import status_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.go.template.values import Struct
    from podpy.libpod.containers.table import ContainerRow, Line

_SHORT_ID = 12
_COMMAND_WIDTH = 17


class View:
    """How a list is shown: --no-trunc, --size, --ns, the current time, and the containers' health."""

    def __init__(
        self,
        *,
        cut: bool = True,
        sizes: dict[str, tuple[int, int]] | None = None,
        namespaces: bool = False,
        health: dict[str, str] | None = None,
        pods: dict[str, str] | None = None,
    ) -> None:
        self.cut = cut
        self.sizes = sizes  # bytes by id: the writable layer's, and the whole root file system's
        self.namespaces = namespaces
        self.health = health or {}  # by id
        self.pods = pods or {}  # names by id
        self.now = time_ns()
        self.commands: dict[str, str] = {}  # a cache, JSON → text: many containers have the same command


def short(identifier: str, view: View) -> str:
    """Return the first 12 digits of an id, or all of them with --no-trunc."""
    return identifier[:_SHORT_ID] if view.cut else identifier


def standard_cells(lines: list[Line], view: View) -> list[tuple[str, ...]]:
    """Return the texts of the standard columns: id, image, command, created, status, ports, name."""
    width = _SHORT_ID if view.cut else None
    now, health = view.now, view.health
    return [
        (
            identifier[:width],
            image,
            command_text(command, view),
            ago(created, now),
            status_words(status, started, finished, code, now, health.get(identifier, "")),
            "" if ports == exposed == "[]" else _ports(ports, exposed),
            name,
        )
        for identifier, name, image, command, created, status, started, finished, code, ports, exposed in lines
    ]


def _ports(published: str, exposed: str) -> str:
    from podpy.cli.show.ports import ports_text

    return ports_text(fastjson.loads(published), fastjson.loads(exposed))


def command_text(command: str, view: View) -> str:
    """Return the command (a JSON list) on one line, cut after 17 characters."""
    text = view.commands.get(command)
    if text is None:
        words = " ".join(fastjson.loads(command))
        text = words[:_COMMAND_WIDTH] + "..." if view.cut and len(words) > _COMMAND_WIDTH else words
        view.commands[command] = text
    return text


def size_text(row: ContainerRow, view: View) -> str:
    """Return "12kB (virtual 4.5MB)", or nothing without --size."""
    if view.sizes is None:
        return ""
    writable, everything = view.sizes.get(row.id, (0, 0))
    return f"{human_size(writable, precision=3)} (virtual {human_size(everything, precision=3)})"


def placeholders(row: ContainerRow, view: View) -> Struct:
    """Return the fields that --format can show; as JSON it is Podman's ListContainer."""
    from podpy.go.template.values import Struct
    from podpy.go.time import GoTime

    class Shown(Struct):
        """In a template `.Names` is a text and `.Size` is "1kB (virtual …)"; in JSON they are raw values."""

        __slots__ = ()

        def json_form(self) -> Struct:
            return Struct({**json_row(row, view), "Created": GoTime(row.created, utc=True)})

    raw = json_row(row, view)
    labels: dict[str, str] = raw["Labels"] or {}
    spaces = raw["Namespaces"]
    shown = {
        "ID": short(row.id, view),
        "ImageID": short(row.image_id, view),
        "Command": command_text(row.command, view),
        "Created": GoTime(row.created),
        "CreatedAt": str(GoTime(row.created)),
        "CreatedHuman": ago(row.created, view.now),
        "RunningFor": ago(row.created, view.now),
        "Status": raw["Status"],
        "Names": row.name,
        "Networks": ",".join(raw["Networks"]),
        "Ports": _ports(row.ports, row.exposed),
        "Size": size_text(row, view),
        "Restarts": str(row.restarts),
        "Pod": short(row.pod, view),
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


def json_row(row: ContainerRow, view: View) -> Struct:
    """Return Podman's ListContainer as it is in `ps --format json`."""
    from podpy.go.template.values import Struct
    from podpy.libpod.containers.facts import facts

    data = facts(
        row,
        now=view.now,
        sizes=view.sizes,
        namespaces=view.namespaces,
        health=view.health.get(row.id, ""),
        pods=view.pods,
    )
    data["Namespaces"] = Struct(data["Namespaces"])
    data["Ports"] = [Struct(port) for port in data["Ports"]] or None
    data["Size"] = Struct(data["Size"]) if data["Size"] else None
    return Struct(data)
