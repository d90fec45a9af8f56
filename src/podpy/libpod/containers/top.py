"""The processes of a container, read from /proc: neither host nor image needs `ps`."""

from __future__ import annotations

import os
import shlex
from time import ctime, time

from podpy import files, process
from podpy.errors import NotFoundError, NotSupportedError, UsageError
from podpy.pids import namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.libpod.containers.held import Held

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
DEFAULT = ("user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args")

# ps(1)'s AIX letters and other names for the same field.
_ALIASES = {
    "%C": "pcpu", "%G": "group", "%P": "ppid", "%U": "user", "%a": "args", "%c": "comm", "%g": "rgroup", "%n": "nice",
    "%p": "pid", "%r": "pgid", "%t": "etime", "%u": "ruser", "%x": "time", "%y": "tty", "%z": "vsz", "cmd": "args",
    "command": "args", "ucmd": "comm", "cputime": "time",
}  # fmt: skip
_SECCOMP = {"0": "disabled", "1": "strict", "2": "filter"}
_TTY_MAJORS = {4: "tty", 136: "pts/"}


def top(container: Held, fields: list[str]) -> list[list[str]]:
    """Return a heading and a row for each process of a running container, ordered by pid inside.

    `fields` are podman-top's descriptors, each text may hold several with commas; empty: the default ones. Raises
    StateError if the container isn't running, UsageError for an unknown descriptor.
    """
    container.require_running("top can only be used on running containers")
    names = [_name(field) for text in fields for field in text.split(",") if field] or list(DEFAULT)
    columns = [_FIELDS[name] for name in names]

    def read() -> list[list[str]]:
        processes = [process for pid in _pids(container.row.pid) if (process := _Process.read(pid, container.row.pid))]
        processes.sort(key=lambda process: process.inside)
        return [[write(process) for _, write in columns] for process in processes]

    # Inside the user namespace, all of the container's processes can be read, whichever user they run as.
    return [[heading for heading, _ in columns], *container.engine.privileged(read)]


def run_ps(container: Held, arguments: list[str]) -> str:
    """Return the output of this machine's ps(1) with these arguments in a running container's pid namespace.

    podman-top(1) does that for arguments that aren't descriptors: `-ef`, `aux`, `-eo pid,comm`; ps lists itself, too.
    Raises StateError, UsageError with ps's message, NotSupportedError if there is no ps.
    """
    container.require_running("top can only be used on running containers")
    first = container.row.pid
    words = [word for text in arguments for word in shlex.split(text)]
    inside: list[str] = []
    if namespace(first, "pid") != namespace("self", "pid"):
        # nsenter(1), unshare(1): ps needs the /proc of that pid namespace.
        inside = ["nsenter", f"--pid=/proc/{first}/ns/pid", "--", "unshare", "--mount", "--mount-proc"]
    try:
        command = [process.find(word) for word in (*inside[:1], "ps")]
        done = container.engine.privileged(lambda: process.run([*command[:-1], *inside[1:], command[-1], *words]))
    except NotFoundError as error:
        raise NotSupportedError(f"top with options of ps: {error.message}", hint="sudo apt install procps") from error
    if done.code:
        said = done.stderr.decode(errors="replace").strip() or f"it ended with {done.code}"
        raise UsageError(f"executing ps(1) for the container: {said.splitlines()[0]}")
    return done.stdout.decode(errors="replace")


def is_for_ps(fields: list[str]) -> bool:
    """Return whether one of these isn't a descriptor of podman-top: then all are arguments for ps."""
    return any(_ALIASES.get(name, name.lower()) not in _FIELDS for text in fields for name in text.split(",") if name)


def descriptors() -> list[str]:
    """Return the names of the fields."""
    return sorted(_FIELDS)


def _name(field: str) -> str:
    name = _ALIASES.get(field, field.lower())
    if name not in _FIELDS:
        raise UsageError(f"unknown field {field!r}", hint=f"There are: {', '.join(descriptors())}")
    return name


def _pids(first: int) -> list[int]:
    """Return the pids (outside) in a first process's pid namespace; if that is the host's, its process tree."""
    own = namespace(first, "pid")
    if own == namespace("self", "pid"):
        return tree(first)
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and namespace(name, "pid") == own]


def tree(first: int) -> list[int]:
    """Return the pids of a process and all its descendants."""
    found = [first]
    for pid in found:
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children", encoding="utf-8") as file:
                    found.extend(int(child) for child in file.read().split())
        except OSError:  # it has ended meanwhile
            continue
    return found


class _Process:
    """One process in /proc."""

    def __init__(self, pid: int, first: int) -> None:
        self.pid = pid
        self.root = f"/proc/{first}/root"
        # proc_pid_stat(5): the name may hold blanks and parentheses, so fields are counted from the last parenthesis.
        before, _, after = files.read(f"/proc/{pid}/stat").rpartition(")")
        self.name = before.partition("(")[2]
        self.stat = after.split()
        lines = (line.partition(":") for line in files.read(f"/proc/{pid}/status").splitlines())
        self.status = {key: value.strip() for key, _, value in lines}
        self.arguments = files.read(f"/proc/{pid}/cmdline").rstrip("\0").split("\0")
        self.inside = int(self.status.get("NSpid", str(pid)).split()[-1])

    @classmethod
    def read(cls, pid: int, first: int) -> _Process | None:
        """Return the process, or None if it has ended."""
        try:
            return cls(pid, first)
        except (OSError, ValueError):
            return None

    def seconds(self) -> float:
        """Return the process's age in seconds."""
        uptime = float(files.read("/proc/uptime").split()[0])
        return max(0.0, uptime - int(self.stat[19]) / _TICKS)

    def cpu_seconds(self) -> float:
        """Return the CPU time that it has used, in seconds."""
        return (int(self.stat[11]) + int(self.stat[12])) / _TICKS

    def parent_inside(self) -> int:
        """Return the parent's pid inside the container; 0 if the parent is outside."""
        parent = int(self.stat[1])
        if namespace(parent, "pid") != namespace(self.pid, "pid"):
            return 0
        try:
            lines = files.read(f"/proc/{parent}/status").splitlines()
        except OSError:
            return 0
        return int(next((line.split()[-1] for line in lines if line.startswith("NSpid:")), "0"))


def _user(process: _Process, kind: str, place: int) -> str:
    identifier = _inside_id(process, kind, int(process.status[kind].split()[place]))
    return _account(process, "/etc/passwd" if kind == "Uid" else "/etc/group", identifier)


def _inside_id(process: _Process, kind: str, identifier: int) -> int:
    """Return an id translated into the container's user namespace.

    user_namespaces(7): its map as who is in that namespace reads it tells of the parent's ids; then /proc shows ids as
    they are inside.
    """
    if namespace(process.pid, "user") == namespace("self", "user"):
        return identifier
    try:
        lines = files.read(f"/proc/{process.pid}/{kind.lower()}_map").splitlines()
    except OSError:
        return identifier
    for line in lines:
        inside, outside, size = (int(word) for word in line.split())
        if outside <= identifier < outside + size:
            return inside + identifier - outside
    return identifier


def _outside_id(kind: str, text: str) -> str:
    """Return the host's id for one that /proc shows in this process's user namespace."""
    identifier = int(text)
    for line in files.read(f"/proc/self/{kind}_map").splitlines():
        inside, outside, size = (int(word) for word in line.split())
        if inside <= identifier < inside + size:
            return str(outside + identifier - inside)
    return text


def _account(process: _Process, path: str, identifier: int) -> str:
    try:
        lines = files.read(process.root + path).splitlines()
    except (OSError, UnicodeDecodeError):
        return str(identifier)
    for line in lines:
        words = line.split(":")
        if len(words) > 2 and words[2] == str(identifier):
            return words[0]
    return str(identifier)


def _groups(process: _Process) -> str:
    groups = [_inside_id(process, "Gid", int(group)) for group in process.status.get("Groups", "").split()]
    return ",".join(_account(process, "/etc/group", group) for group in groups)


def _capabilities(key: str) -> Callable[[_Process], str]:
    def write(process: _Process) -> str:
        from podpy.spec.capabilities import NAMES

        mask = int(process.status[key], 16)
        if mask & ((1 << len(NAMES)) - 1) == (1 << len(NAMES)) - 1:
            return "full"
        held = [name.removeprefix("CAP_") for number, name in enumerate(NAMES) if mask & (1 << number)]
        return ",".join(sorted(held)) or "none"

    return write


def go_duration(seconds: float) -> str:
    """Return seconds as Go prints a duration: "1h2m3.5s"."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    shown = f"{rest:.9f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{int(hours)}h{int(minutes)}m{shown}"
    return f"{int(minutes)}m{shown}" if minutes else shown


def _tty(process: _Process) -> str:
    number = int(process.stat[4])
    major, minor = (number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)
    return f"{_TTY_MAJORS[major]}{minor}" if major in _TTY_MAJORS else "?"


def _percent(process: _Process) -> str:
    elapsed = process.seconds()
    return f"{100 * process.cpu_seconds() / elapsed if elapsed else 0:.3f}"


def _arguments(process: _Process) -> str:
    words = " ".join(process.arguments)
    return words or f"[{process.name}]"


_FIELDS: dict[str, tuple[str, Callable[[_Process], str]]] = {
    "args": ("COMMAND", _arguments),
    "capamb": ("AMBIENT CAPS", _capabilities("CapAmb")),
    "capbnd": ("BOUNDING CAPS", _capabilities("CapBnd")),
    "capeff": ("EFFECTIVE CAPS", _capabilities("CapEff")),
    "capinh": ("INHERITED CAPS", _capabilities("CapInh")),
    "capprm": ("PERMITTED CAPS", _capabilities("CapPrm")),
    "comm": ("COMMAND", lambda process: process.name),
    "etime": ("ELAPSED", lambda process: go_duration(process.seconds())),
    "group": ("GROUP", lambda process: _user(process, "Gid", 1)),
    "groups": ("GROUPS", _groups),
    "hgroup": ("HGROUP", lambda process: _outside_id("gid", process.status["Gid"].split()[1])),
    "hgroups": (
        "HGROUPS",
        lambda process: ",".join(_outside_id("gid", group) for group in process.status.get("Groups", "").split()),
    ),
    "hpid": ("HPID", lambda process: str(process.pid)),
    "huid": ("HUID", lambda process: _outside_id("uid", process.status["Uid"].split()[1])),
    "huser": ("HUSER", lambda process: _outside_id("uid", process.status["Uid"].split()[1])),
    "label": ("LABEL", lambda process: _label(process)),
    "nice": ("NI", lambda process: process.stat[16]),
    "pcpu": ("%CPU", _percent),
    "pgid": ("PGID", lambda process: process.status.get("NSpgid", process.stat[2]).split()[-1]),
    "pid": ("PID", lambda process: str(process.inside)),
    "ppid": ("PPID", lambda process: str(process.parent_inside())),
    "rgroup": ("RGROUP", lambda process: _user(process, "Gid", 0)),
    "rss": ("RSS", lambda process: str(int(process.stat[21]) * _PAGE_KIB)),
    "ruser": ("RUSER", lambda process: _user(process, "Uid", 0)),
    "seccomp": ("SECCOMP", lambda process: _SECCOMP.get(process.status.get("Seccomp", ""), "?")),
    "state": ("STATE", lambda process: process.stat[0]),
    "stime": ("STIME", lambda process: ctime(time() - process.seconds())),
    "time": ("TIME", lambda process: go_duration(process.cpu_seconds())),
    "tty": ("TTY", _tty),
    "uid": ("UID", lambda process: str(_inside_id(process, "Uid", int(process.status["Uid"].split()[1])))),
    "user": ("USER", lambda process: _user(process, "Uid", 1)),
    "vsz": ("VSZ", lambda process: str(int(process.stat[20]) // 1024)),
}


def _label(process: _Process) -> str:
    try:
        return files.read(f"/proc/{process.pid}/attr/current").rstrip("\0\n") or "?"
    except OSError:
        return "?"
