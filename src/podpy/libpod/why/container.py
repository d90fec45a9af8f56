"""Why a container is as it is: from its row, its exit record, its events and its log."""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import NoSuchContainerError, PodpyError
from podpy.go.units import binary_size
from podpy.libpod.containers.held import Held, find
from podpy.libpod.containers.table import (
    ALIVE,
    CREATED,
    EXITED,
    INITIALIZED,
    NO_RESTART,
    PAUSED,
    RESTARTING,
    RUNNING,
    STARTING,
    ContainerRow,
)
from podpy.libpod.system.events import EventStream
from podpy.libpod.why.answer import Answer, when
from podpy.libpod.why.codes import meaning
from podpy.monitor.files import EXIT_UNKNOWN, OOM, read_restart_note
from podpy.signals import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.libpod.system.events import Event

_SIGNAL_BASE = 128
_MILLISECONDS = 1000
_MOST_SIGNALS = 64
_SIGKILL, _SIGTERM = 9, 15
_LAST_LINES = 5
_NO_COMMAND = (126, 127)
_STOPS = {
    "stop": "It was asked to end by podpy stop",
    "kill": "It got a signal by podpy kill, or one that podpy run passed on,",
}


def explain(engine: Engine, name: str) -> Answer:
    """Explain a container's state, or how a removed one ended. Raises NoSuchContainerError."""
    try:
        container = find(engine, name)
    except NoSuchContainerError as error:
        return _gone(engine, name, error)
    row = container.refresh()
    story = _Story(container, row)
    story.tell()
    return story.answer()


def _gone(engine: Engine, name: str, error: NoSuchContainerError) -> Answer:
    """Explain a removed container by its events."""
    removed: Event | None = None
    died: Event | None = None
    for event in EventStream(engine, filters=[f"container={name}", "event=remove", "event=died"]) if name else ():
        if event.status == "remove":
            removed = event
        else:
            died = event
    if removed is None:
        raise error
    reasons = [f"It was removed {when(removed.time)}."]
    facts = {"id": removed.id, "name": removed.name, "state": "removed", "removed": removed.time}
    if died is not None and died.id == removed.id and died.exit_code is not None:
        reasons.insert(0, f"It ended {when(died.time)}, with exit code {died.exit_code}: {meaning(died.exit_code)}.")
        if died.oom_killed:
            reasons.insert(1, "The kernel had killed a process in it: the memory limit was used up.")
        facts |= {"exit_code": died.exit_code, "oom_killed": died.oom_killed}
    elif removed.exit_code is None:
        reasons.insert(0, "It had never been started.")
    about = (
        f"{removed.name} ({removed.id[:12]}) of {removed.image or 'a directory'}: there is no such container any more"
    )
    return Answer(about=about, reasons=reasons, facts=facts)


class _Story:
    """Collects the answer about one container."""

    def __init__(self, container: Held, row: ContainerRow) -> None:
        self._container = container
        self._row = row
        self._reasons: list[str] = []
        self._mends: list[str] = []
        self._quoted: list[str] = []
        self._events = _last_run(container.engine, row.id)
        self._facts = {
            "id": row.id,
            "name": row.name,
            "state": row.status,
            "exit_code": row.exit_code,
            "oom_killed": bool(row.oom_killed),
            "error": row.error,
            "started": row.started,
            "finished": row.finished,
            "stopped_by_user": bool(row.stopped_by_user),
            "restarts": row.restarts,
        }

    def tell(self) -> None:
        """Collect all reasons and suggestions."""
        status = self._row.status
        if status in (EXITED, RESTARTING):
            self._tell_end()
        elif status in (CREATED, INITIALIZED):
            self._tell_no_start()
        elif status in ALIVE:
            self._tell_life()
        self._tell_health()
        self._tell_lock()

    def answer(self) -> Answer:
        """Return the answer."""
        row = self._row
        image = row.image_name or "a directory"
        state = {STARTING: "starting"}.get(row.status, row.status)
        return Answer(
            about=f"{row.name} ({row.id[:12]}) of {image}: {state}",
            reasons=self._reasons,
            mends=self._mends,
            quoted=self._quoted,
            facts=self._facts,
        )

    def _tell_life(self) -> None:
        row = self._row
        paused = self._time_of("pause")
        if row.status == PAUSED:
            self._reasons.append(f"It was paused{f' {when(paused)}' if paused else ''}: its processes are frozen.")
            self._mends.append(f"podpy unpause {row.name}")
            return
        self._reasons.append(f"It has been running since it was started {when(row.started)}.")
        if row.status != RUNNING and self._time_of("stop"):
            self._reasons.append(f"podpy stop asked it to end {when(self._time_of('stop'))}, and it hasn't yet.")
        if row.restarts:
            self._reasons.append(f"Its restart policy has started it again {_times(row.restarts)}.")
        if os.path.exists(os.path.join(self._container.engine.run_directory(row.id), OOM)):
            self._facts["oom_killed"] = True
            self._tell_memory()

    def _tell_no_start(self) -> None:
        row = self._row
        if row.error:
            self._reasons.append(f"It couldn't be started: {row.error}")
        elif row.status == INITIALIZED:
            self._reasons.append("It is made ready (podpy init) and hasn't been started.")
        else:
            self._reasons.append("Nobody has started it yet.")
        if row.error and row.exit_code in _NO_COMMAND:
            self._mends.append(f"Look what is in the image: podpy run --rm -it {row.image_name} sh")
        self._mends.append(f"podpy start {row.name}")

    def _tell_end(self) -> None:
        row = self._row
        if row.error and row.error != "nobody saw it end":
            self._reasons.append(f"It couldn't be started again: {row.error}")
        self._reasons.append(
            f"It ended {when(row.finished)}, with exit code {row.exit_code}: {meaning(row.exit_code)}."
        )
        self._tell_cause()
        if row.restart_policy not in NO_RESTART:
            self._tell_restarts()
        if row.exit_code:
            self._quote_log()

    def _tell_cause(self) -> None:
        row, spec = self._row, self._container.spec
        if row.exit_code == EXIT_UNKNOWN:
            self._tell_unseen()
        if row.oom_killed:
            self._facts["ended_by"] = "oom"
            self._tell_memory()
            return
        for action, words in _STOPS.items():
            if at := self._time_of(action):
                self._facts["ended_by"] = action
                self._reasons.append(f"{words} {when(at)}.")
                break
        killed = row.exit_code == _SIGNAL_BASE + _SIGKILL
        if killed and self._time_of("stop"):
            signal = name_of(spec.stop_signal)
            self._reasons.append(f"It didn't end by {signal} in time, so it was killed.")
            self._mends.append(
                f"Let its first process obey {signal} (podpy run --init helps a shell), or give it time: podpy stop -t"
            )
        elif killed and not self._facts.get("ended_by"):
            self._reasons.append(
                "Who sent the signal isn't known: podpy didn't. The kernel does when the machine is out of memory."
            )
            self._mends.append("sudo dmesg | grep -i 'killed process'")

    def _tell_unseen(self) -> None:
        row = self._row
        if row.boot_id != self._container.engine.paths.boot_id:
            self._reasons.append("The machine was restarted, or lost its power, while it ran.")
            self._facts["ended_by"] = "reboot"
        elif self._container.spec.timeout:
            self._reasons.append(f"It had run for the {self._container.spec.timeout} seconds of its --timeout.")
            self._facts["ended_by"] = "timeout"
        else:
            self._reasons.append("Its monitor (conmon) was killed, so nobody saw it end.")
            self._facts["ended_by"] = "unknown"

    def _tell_memory(self) -> None:
        limit = self._container.spec.resources.memory
        self._facts["memory_limit"] = limit or 0
        if limit:
            self._reasons.append(
                f"The kernel killed a process in it: its memory limit of {binary_size(limit)} was used up."
            )
            self._mends.append(f"A higher limit, as --memory {_option(limit * 2)}; podpy stats shows what it takes")
        else:
            self._reasons.append(
                "The kernel killed a process in it: a memory limit above it was used up (it has none itself)."
            )

    def _tell_restarts(self) -> None:
        row, spec = self._row, self._container.spec
        if row.status == RESTARTING:
            again = f"; it has done so {_times(row.restarts)}" if row.restarts else ""
            note = read_restart_note(self._container.engine.run_directory(row.id))
            seconds = note.delay // _MILLISECONDS if note is not None else 0
            then = f"{seconds} seconds after its end" if seconds > 1 else "in a moment"
            self._reasons.append(f"Its restart policy ({row.restart_policy}) starts it again {then}{again}.")
            self._mends.append(f"podpy stop {row.name}")
        elif row.stopped_by_user:
            self._reasons.append(f"Its restart policy ({row.restart_policy}) leaves it, since it was ended on purpose.")
        elif row.restart_policy == "on-failure" and row.exit_code == 0:
            self._reasons.append("Its restart policy (on-failure) leaves it: that was no failure.")
        elif spec.restart_retries and row.restarts >= spec.restart_retries:
            self._reasons.append(f"Its restart policy has started it again {_times(row.restarts)}, as often as it may.")

    def _quote_log(self) -> None:
        from podpy.libpod.io.log_lines import LogOptions
        from podpy.libpod.io.logs import read_logs

        try:
            lines = [line.text for line in read_logs(self._container, LogOptions(tail=_LAST_LINES))]
        except (PodpyError, OSError):
            return
        self._quoted = [text.decode("utf-8", "replace") for text in lines][-_LAST_LINES:]
        self._facts["last_lines"] = self._quoted
        self._mends.append(f"podpy logs {self._row.name}")

    def _tell_health(self) -> None:
        from podpy.libpod.why import health

        health.tell(self._container, self._facts, self._reasons, self._quoted, self._mends)

    def _tell_lock(self) -> None:
        holder = lock_holder(self._container.lock.path)
        if holder:
            self._facts["lock"] = {"pid": holder, "command": command_line(holder)}
            self._reasons.append(f"Another call is at it just now: {command_line(holder)} (pid {holder}).")

    def _time_of(self, action: str) -> int:
        return next((event.time for event in reversed(self._events) if event.status == action), 0)


def _last_run(engine: Engine, container_id: str) -> list[Event]:
    """Return the events of a container since its last start, or all if it has none."""
    events: list[Event] = []
    for event in EventStream(engine, filters=[f"container={container_id}"]):
        if event.status == "start":
            events.clear()
        events.append(event)
    return events


def _option(size: int) -> str:
    """Return bytes in the form of --memory, in whole MiB if it is at least one."""
    return f"{size >> 20}m" if size >> 20 else str(size)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def lock_holder(path: str) -> int:
    """Return the pid that holds a flock (proc_locks(5)) on a file; 0: none, or it is invisible."""
    try:
        inode = os.stat(path).st_ino
    except OSError:
        return 0
    for line in files.read("/proc/locks").splitlines():
        words = line.split()
        if "FLOCK" in words and "->" not in words and words[5].rpartition(":")[2] == str(inode):
            return max(int(words[4]), 0)
    return 0


def command_line(pid: int) -> str:
    """Return a process's command line, if it is readable."""
    words = files.read_small(f"/proc/{pid}/cmdline").rstrip("\0").split("\0")
    shown = " ".join(word.rpartition("/")[2] if place == 0 else word for place, word in enumerate(words))
    return shown or "a process of somebody else"
