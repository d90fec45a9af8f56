"""The first call of a boot: make the user's namespaces and start the process that holds them.

    lock runroot/holder.lock          two first calls at once make one namespace
    start the holder                  it unshares, reports its pid, and waits
    newuidmap ∥ newgidmap             write its id maps (or we write a map of one id)
    write runroot/holder              from now on everybody finds it
    let the holder go on              it closes everything of ours

Then the caller joins, as every later call does. If the holder was killed while a container of ours still runs,
the new holder joins the user namespace of that container's conmon instead of making another.
"""

from __future__ import annotations

import os

from podpy import files, process
from podpy.config.paths import EARLIER
from podpy.errors import RootlessError
from podpy.monitor.files import is_monitor_of, monitors
from podpy.pids import open_pidfd, start_time
from podpy.rootless import holder, subids
from podpy.rootless.programs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.rootless.subids import Range

MARKER_CLEARED = ("containers", "exits", "health", "health_events", "cache")


def make_namespaces(paths: Paths) -> int:
    """Return a pidfd of a process in the user's namespaces: the living holder's, or a new one's.

    Raises RootlessError with the mend.
    """
    with holder.HolderLock(paths):
        record = holder.read_record(paths)
        living = open_pidfd(record.pid, record.start) if record is not None else -1
        if living >= 0 and not (_is_single(paths) and ranges_have_come(paths)):
            return living
        old = conmon_in_namespace(paths)
        if living >= 0:
            os.close(living)
            holder.end_locked(paths)
        if old >= 0:
            return _hold_again(paths, old)
        return _make(paths)


def ranges_have_come(paths: Paths) -> bool:
    """Return whether a namespace of one id can be replaced: there are ranges now, and no container runs."""
    return _has_ranges(*subids.find(paths.uid)) and not _missing_tool() and conmon_in_namespace(paths) < 0


def conmon_in_namespace(paths: Paths) -> int:
    """Return a pidfd of a monitor of ours in the recorded user namespace (without a record: in one of its own),
    or -1.
    """
    record = holder.read_record(paths)
    for container_id, pid in monitors(paths.runroot):
        pidfd = open_pidfd(pid, start_time(pid))
        if pidfd < 0:
            continue
        # Ask again: now that there is a pidfd, the pid can't be another process's.
        if is_monitor_of(pid, container_id) and _is_in(pid, record.namespace if record is not None else 0):
            return pidfd
        os.close(pidfd)
    return -1


def clear_run_directory(paths: Paths) -> bool:
    """Note this boot in runroot/boot-id, and remove what an earlier boot left. Return whether there was one."""
    with holder.HolderLock(paths):
        note = paths.runroot + "/boot-id"
        try:
            noted = files.read(note)
        except FileNotFoundError:
            noted = paths.boot_id
        is_old = noted != paths.boot_id
        if is_old:
            _remove_contents(paths)
        files.replace(note, paths.boot_id)
        return is_old


def _remove_contents(paths: Paths) -> None:
    # Put aside first: what can't be removed here, because it belongs to a subordinate id, must not be taken for this
    # boot's. podpy.libpod.system.repair removes it in the user's namespaces.
    import shutil

    for name in MARKER_CLEARED:
        directory = f"{paths.runroot}/{name}"
        aside = f"{paths.runroot}/{EARLIER}{os.urandom(6).hex()}"
        try:
            os.rename(directory, aside)
        except FileNotFoundError:
            pass
        else:
            shutil.rmtree(aside, ignore_errors=True)
        os.makedirs(directory, mode=0o700, exist_ok=True)
    if os.path.exists(paths.holder):
        os.unlink(paths.holder)


def _is_single(paths: Paths) -> bool:
    record = holder.read_record(paths)
    return record is not None and record.is_single


def _is_in(pid: int, namespace: int) -> bool:
    try:
        inode = os.stat(f"/proc/{pid}/ns/user").st_ino
    except OSError:
        return False
    return inode == namespace if namespace else inode != os.stat("/proc/self/ns/user").st_ino


def _pidfd_of(pid: int) -> int:
    pidfd = open_pidfd(pid, start_time(pid))
    if pidfd < 0:
        raise RootlessError("the process that holds the user namespace has just ended", hint="Try again")
    return pidfd


def _make(paths: Paths) -> int:
    uids, gids = subids.find(paths.uid)
    missing = _missing_tool()
    single = bool(missing) or not _has_ranges(uids, gids)
    started = _Holder(paths, "new")
    try:
        if single:
            _write_single_map(started.pid, paths)
        else:
            _write_maps(started.pid, paths, uids, gids)
        pidfd = started.keep(holder.SINGLE if single else holder.MAP)
    finally:
        started.close()
    if single:
        from podpy.notice import warn
        from podpy.rootless.checks import mends

        warn(mends.single_id_warning(paths, missing))
    return pidfd


def _hold_again(paths: Paths, conmon: int) -> int:
    try:
        mode = holder.SINGLE if _is_single(paths) else holder.MAP
        started = _Holder(paths, conmon)
    finally:
        os.close(conmon)
    try:
        return started.keep(mode)
    finally:
        started.close()


class _Holder:
    """A holder that was started and waits; it ends with us unless `keep` is called."""

    def __init__(self, paths: Paths, what: str | int) -> None:
        self._paths = paths
        report, report_end = process.pipe()
        go_end, self._go = process.pipe()
        passed = [report_end, go_end, *([what] if isinstance(what, int) else [])]
        arguments = [holder.program(), paths.runroot, str(what), str(report_end), str(go_end)]
        try:
            starter = process.spawn(arguments, environment={}, keep=passed, name="podpy-holder")
            os.close(report_end)
            report_end = -1
            process.wait(starter)
            line = os.read(report, 64).decode()
        except FileNotFoundError:
            self.close()
            raise RootlessError(
                f"podpy's installation is incomplete: {holder.program()} is missing", hint="Install podpy again"
            ) from None
        finally:
            for descriptor in (report, go_end, report_end):
                if descriptor >= 0:
                    os.close(descriptor)
        if not line.strip().isdigit():
            self.close()
            raise _start_error(line)
        self.pid = int(line)

    def keep(self, mode: str) -> int:
        """Record it, let it go on without us, and return its pidfd."""
        pidfd = _pidfd_of(self.pid)
        holder.write_record(self._paths, self.pid, mode)
        os.write(self._go, b"k")
        return pidfd

    def close(self) -> None:
        if self._go >= 0:
            os.close(self._go)
            self._go = -1


def _start_error(line: str) -> RootlessError:
    from podpy.rootless.checks import mends

    words = line.split()
    if len(words) == 3 and words[0] == "error":
        code = int(words[2])
        return mends.explain("make a user namespace", OSError(code, os.strerror(code)), step=words[1])
    return RootlessError("the process that should hold the user namespace ended at once", hint="podpy system doctor")


def _has_ranges(uids: list[Range], gids: list[Range]) -> bool:
    return bool(uids and gids)


def _missing_tool() -> str:
    return next((name for name in ("newuidmap", "newgidmap") if not which(name)), "")


def _write_single_map(pid: int, paths: Paths) -> None:
    # user_namespaces(7): without privilege, one line, one's own id, and setgroups(2) given up before gid_map.
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {paths.uid} 1"), ("gid_map", f"0 {paths.gid} 1")):
        try:
            with open(f"/proc/{pid}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            from podpy.rootless.checks import mends

            raise mends.explain(f"write {name}", error) from error


def _write_maps(pid: int, paths: Paths, uids: list[Range], gids: list[Range]) -> None:
    """Run newuidmap and newgidmap side by side. Raises RootlessError with what they say."""
    output, output_end = process.pipe()
    children = []
    try:
        for tool, own, ranges in (("newuidmap", paths.uid, uids), ("newgidmap", paths.gid, gids)):
            numbers = [str(number) for line in subids.id_map(own, ranges) for number in line]
            command = [which(tool), str(pid), *numbers]
            child = process.spawn(command, environment={"LC_ALL": "C"}, stdin=-1, stdout=output_end, stderr=output_end)
            children.append((tool, child))
    finally:
        os.close(output_end)
        said = process.read_all(output)
        failed = [tool for tool, child in children if process.wait(child)]
    if failed:
        from podpy.rootless.checks import mends

        raise mends.id_map_error(paths, failed[0], said)
