"""The user's namespaces: made once, joined by everybody, found again after kills, given up on request."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.rootless.helpers import (
    holder_fields,
    holder_pid,
    id_map,
    in_changed_host,
    namespace,
    parse_map,
    python,
    python_environment,
)
from tests.support import needs, wait
from tests.support.engine import Podpy


def test_first_call_maps_root_to_the_user_and_the_rest_to_the_subordinate_ids(podpy: Podpy) -> None:
    """Id 0 inside is the user; 1 to 65536 are the ids of /etc/subuid."""
    assert id_map(podpy) == [[0, podpy.user.uid, 1], [1, podpy.user.subuid, 65536]]
    assert podpy.ok("unshare", "id", "-u") == "0"


def test_a_later_call_joins_the_same_namespaces(podpy: Podpy) -> None:
    """Two calls see the same user and the same mount namespace, which aren't the caller's."""
    first = [namespace(podpy, kind) for kind in ("user", "mnt")]
    assert [namespace(podpy, kind) for kind in ("user", "mnt")] == first
    assert first[0] != os.readlink("/proc/self/ns/user")


def test_twenty_first_calls_at_once_make_one_namespace(podpy: Podpy) -> None:
    """Whoever comes first makes it, the other nineteen join."""
    command = ("unshare", "readlink", "/proc/self/ns/user")
    calls = [podpy.popen(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(20)]
    answers = [call.communicate(timeout=60) for call in calls]
    assert {out for out, _ in answers} == {namespace(podpy).encode() + b"\n"}
    assert {error for _, error in answers} == {b""}
    assert len(_holders(podpy)) == 1


def test_environment_and_working_directory_stay(podpy: Podpy) -> None:
    """HOME, the working directory and other variables are as outside; the outer user is told as Podman does."""
    work = podpy.home / "project"
    podpy.run(["mkdir", os.fspath(work)]).ok()
    script = 'echo "$HOME:$PWD:$(pwd):$MINE:$_CONTAINERS_ROOTLESS_UID"'
    said = podpy("unshare", "sh", "-c", script, cwd=work, env={"MINE": "x"}).ok()
    assert said == f"{podpy.home}:{work}:{work}:x:{podpy.user.uid}"


def test_a_deleted_working_directory_is_no_obstacle(podpy: Podpy) -> None:
    """The command runs in / then."""
    script = f'mkdir gone && cd gone && rmdir ../gone && exec "{podpy.launcher}" unshare pwd'
    assert podpy.run(["sh", "-c", script]).ok() == "/"


def test_inside_again_is_inside(podpy: Podpy) -> None:
    """`podpy unshare podpy unshare ...` stays where it is."""
    inner = podpy.ok("unshare", os.fspath(podpy.launcher), "unshare", "readlink", "/proc/self/ns/user")
    assert inner == namespace(podpy)


def test_record_that_names_a_stranger_is_never_joined(podpy: Podpy) -> None:
    """The pid was reused: the start time doesn't fit, so a new namespace is made and the stranger is left alone."""
    namespace(podpy)
    fields = holder_fields(podpy)
    old = int(fields[0])
    # In a user namespace of its own, which podpy could join; not made by podpy, which would write a record of its own.
    command = ["unshare", "--user", "--map-root-user", "sleep", "1000"]
    stranger = subprocess.Popen(command, env=podpy.environment(), **podpy.user.as_popen_arguments())
    try:
        words = Path(f"/proc/{stranger.pid}/cmdline")
        wait.until(lambda: words.read_text().startswith("sleep"), what="the stranger runs")
        os.kill(old, signal.SIGKILL)
        wait.for_end(old)
        fields[0] = str(stranger.pid)
        (podpy.runroot / "holder").write_text(" ".join(fields) + "\n")
        assert namespace(podpy) != os.readlink(f"/proc/{stranger.pid}/ns/user")
        assert holder_pid(podpy) not in (old, stranger.pid)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_record_of_another_boot_is_ignored(podpy: Podpy) -> None:
    """The same pid and start time in another boot are another process."""
    namespace(podpy)
    fields = holder_fields(podpy)
    old = int(fields[0])
    fields[2] = "00000000-0000-0000-0000-000000000000"
    (podpy.runroot / "holder").write_text(" ".join(fields) + "\n")
    namespace(podpy)
    assert holder_pid(podpy) != old
    os.kill(old, signal.SIGKILL)


@pytest.mark.parametrize("content", ["", "12", "x y z", "1 2 3 4 5 6 7\n", "\0\0\0\0"])
def test_torn_record_is_replaced(podpy: Podpy, content: str) -> None:
    """A record that makes no sense counts as none."""
    before = namespace(podpy)
    old = holder_pid(podpy)
    (podpy.runroot / "holder").write_text(content)
    assert namespace(podpy) != before
    os.kill(old, signal.SIGKILL)


def test_killed_holder_is_replaced(podpy: Podpy) -> None:
    """With nothing running, the next call makes a new namespace."""
    namespace(podpy)
    old = holder_pid(podpy)
    os.kill(old, signal.SIGKILL)
    wait.for_end(old)
    assert id_map(podpy) == [[0, podpy.user.uid, 1], [1, podpy.user.subuid, 65536]]
    assert holder_pid(podpy) != old


def test_a_call_beside_the_killing_of_the_holder_gets_namespaces(podpy: Podpy) -> None:
    """A holder that is about to end gives its namespaces up while it still looks alive."""
    podpy.ok("unshare", "true")
    for step in range(20):
        old = holder_pid(podpy)
        call = podpy.popen("unshare", "true", stderr=subprocess.PIPE)
        try:
            call.wait(timeout=0.005 * step)
        except subprocess.TimeoutExpired:
            pass
        os.kill(old, signal.SIGKILL)
        assert call.communicate(timeout=60) == (None, b"")
        assert call.returncode == 0
        wait.for_end(old)
        podpy.ok("unshare", "true")


def _start_monitor(podpy: Podpy) -> subprocess.Popen[bytes]:
    """Start a process that looks like a container's monitor, in the user's namespaces, known by a run directory."""
    directory = podpy.runroot / "containers" / ("a" * 64)
    monitor = podpy.popen("unshare", "bash", "-c", f"exec -a {directory.name} sleep 1000")
    words = Path(f"/proc/{monitor.pid}/cmdline")
    wait.until(lambda: words.read_text().startswith(directory.name), what="the monitor runs")
    script = f"mkdir -m 700 {directory} && echo {monitor.pid} > {directory}/conmon.pid"
    podpy.run(["sh", "-c", script]).ok()
    return monitor


def test_killed_holder_with_a_container_running_is_replaced_in_the_same_namespace(podpy: Podpy) -> None:
    """The new holder joins the user namespace in which the monitor still is."""
    before = namespace(podpy)
    monitor = _start_monitor(podpy)
    try:
        old = holder_pid(podpy)
        os.kill(old, signal.SIGKILL)
        wait.for_end(old)
        assert namespace(podpy) == before
        assert holder_pid(podpy) != old
        podpy("system", "migrate").fails(125, "containers run in it", "podpy stop --all")
    finally:
        monitor.kill()
        monitor.wait()
        shutil.rmtree(podpy.runroot / "containers" / ("a" * 64))


def test_migrate_gives_the_namespace_up(podpy: Podpy) -> None:
    """The holder ends, its record goes, and the next call makes another namespace. Twice is as good as once."""
    namespace(podpy)
    old = holder_pid(podpy)
    podpy.ok("system", "migrate")
    wait.for_end(old)
    assert not (podpy.runroot / "holder").exists()
    podpy.ok("system", "migrate")
    namespace(podpy)
    assert holder_pid(podpy) != old


def test_holder_keeps_nothing_of_its_caller(podpy: Podpy) -> None:
    """No descriptor but its own watch, its own session, / as working directory, no environment."""
    namespace(podpy)
    process = Path(f"/proc/{holder_pid(podpy)}")
    links = {os.readlink(link) for link in (process / "fd").iterdir()}
    assert links <= {"anon_inode:inotify", os.fspath(podpy.runroot)}
    assert os.readlink(process / "cwd") == "/"
    assert os.getsid(holder_pid(podpy)) == holder_pid(podpy)
    assert (process / "environ").read_bytes() == b""
    assert (process / "comm").read_text() == "podpy-holder\n"


def test_holder_ends_when_the_run_directory_goes(podpy: Podpy) -> None:
    """Nothing could find it any more."""
    namespace(podpy)
    pid = holder_pid(podpy)
    shutil.rmtree(podpy.runroot)
    wait.for_end(pid)


def test_holder_is_small(podpy: Podpy) -> None:
    """It stays for as long as the machine runs."""
    namespace(podpy)
    lines = Path(f"/proc/{holder_pid(podpy)}/smaps_rollup").read_text().splitlines()
    private = sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))
    assert private <= 120  # kB


def test_caller_with_other_mounts_keeps_them(podpy: Podpy) -> None:
    """A unit with PrivateTmp= has another /tmp than the session in which the namespaces were made."""
    needs.require("mount")
    before = namespace(podpy)
    changes = "mount -t tmpfs none /mnt; echo mine > /mnt/file"
    said = in_changed_host(podpy, changes, "unshare", "sh", "-c", "cat /mnt/file; readlink /proc/self/ns/user").ok()
    assert said.splitlines() == ["mine", before]


def test_mounts_of_the_host_still_arrive(podpy: Podpy) -> None:
    """Propagation is slave where the host's is shared: a stick that is plugged in later is seen; nothing goes out."""
    needs.require("mount")
    said = podpy.ok("unshare", "sh", "-c", "cat /proc/self/mountinfo").splitlines()
    assert said
    assert not any(" shared:" in line for line in said)


def test_command_that_is_missing_and_one_that_cannot_run(podpy: Podpy) -> None:
    """Exit codes as of containers: 127 and 126; else the command's own."""
    podpy("unshare", "no-such-command").fails(127, "no-such-command: no such command")
    podpy("unshare", "/etc/passwd").fails(126, "/etc/passwd", "Permission denied")
    assert podpy("unshare", "sh", "-c", "exit 7").returncode == 7


def test_root_needs_no_user_namespace(podpy_root: Podpy) -> None:
    """`unshare` says so."""
    podpy_root("unshare", "true").fails(125, "root has no user namespace")


def test_unshare_dash_r_by_others_counts_as_inside(podpy: Podpy) -> None:
    """In another user namespace, where this user is root, nothing is joined, and the directories stay theirs."""
    code = "from podpy.config.paths import Paths; p = Paths.find(); print(p.rootless, p.uid, p.graphroot)"
    package = python(podpy, code)
    assert package.ok() == f"True {podpy.user.uid} {podpy.graphroot}"
    inside = podpy.run(["unshare", "-Ur", *package.args], env=python_environment(podpy))
    assert inside.ok() == package.ok()
    inner = podpy.run(["unshare", "-Ur", os.fspath(podpy.launcher), "unshare", "cat", "/proc/self/uid_map"]).ok()
    assert parse_map(inner) == [[0, podpy.user.uid, 1]]


def test_boot_id_of_another_boot_clears_the_run_directory(podpy: Podpy) -> None:
    """A run directory on a disk outlives the reboot; what it tells of doesn't."""
    namespace(podpy)
    podpy.ok("system", "migrate")
    (podpy.runroot / "boot-id").write_text("00000000-0000-0000-0000-000000000000")
    stale = podpy.runroot / "containers" / ("b" * 64)
    stale.mkdir()
    namespace(podpy)
    assert not stale.exists()
    assert (podpy.runroot / "boot-id").read_text() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _holders(podpy: Podpy) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] == b"podpy-holder" and words[1] == os.fspath(podpy.runroot).encode():
                found.append(int(entry.name))
    return found


def test_a_process_that_only_has_a_monitors_old_pid_holds_nothing(podpy: Podpy) -> None:
    """Its command line doesn't name the container, whatever it is called: the holder may be ended."""
    podpy.ok("unshare", "true")
    before = holder_pid(podpy)
    directory = podpy.runroot / "containers" / ("a" * 64)
    other = podpy.popen("unshare", "bash", "-c", "exec -a conmon sleep 1000")
    words = Path(f"/proc/{other.pid}/cmdline")
    wait.until(lambda: words.read_text().startswith("conmon"), what="the other process runs")
    podpy.run(["sh", "-c", f"mkdir -m 700 {directory} && echo {other.pid} > {directory}/conmon.pid"]).ok()
    try:
        podpy.ok("system", "migrate")
        podpy.ok("unshare", "true")
        assert holder_pid(podpy) != before  # the kernel may give a new namespace the old one's number
    finally:
        other.kill()
        other.wait()


def test_a_first_call_that_is_killed_leaks_no_holder(podpy: Podpy) -> None:
    """The holder waits for its caller's word; at the caller's end it goes."""
    for step in range(16):
        podpy.ok("system", "migrate")
        call = podpy.popen("unshare", "true")
        try:
            call.wait(timeout=0.01 * step)
        except subprocess.TimeoutExpired:
            call.kill()
            call.wait()
        wait.until(lambda: len(_holders(podpy)) <= 1, what="no holder but one")
        podpy.ok("unshare", "true")
        wait.until(lambda: _holders(podpy) == [holder_pid(podpy)], what="the holder is the recorded one")


def test_systemd_tmpfiles_keeps_off_a_run_directory_in_tmp(podpy: Podpy) -> None:
    """tmpfiles.d(5), "Age": a directory that somebody has a lock on isn't aged."""
    assert os.fspath(podpy.runroot).startswith("/tmp/")
    podpy.ok("unshare", "true")
    locking = ["flock", "--nonblock", "--exclusive", os.fspath(podpy.runroot), "true"]
    assert podpy.run(locking).returncode == 1
    podpy.ok("system", "migrate")
    wait.until(lambda: podpy.run(locking).returncode == 0, what="the lock went with the holder")


def test_a_stale_monitors_pid_is_no_way_into_a_namespace(podpy: Podpy) -> None:
    """After a holder's death a living monitor's namespace is joined; a pid that now is a stranger's is none."""
    namespace(podpy)
    directory = podpy.runroot / "containers" / ("ab" * 32)
    script = f'mkdir -p "{directory}" && echo {os.getpid()} > "{directory}/conmon.pid"'
    podpy.run(["sh", "-c", script]).ok()
    pid = holder_pid(podpy)
    os.kill(pid, signal.SIGKILL)
    wait.for_end(pid)
    assert namespace(podpy) != os.readlink("/proc/self/ns/user")
    second = holder_pid(podpy)
    assert second != pid
    other = subprocess.Popen(["bash", "-c", f"exec -a {directory.name} sleep 1000"], **podpy.user.as_popen_arguments())
    try:  # this one has the container's id in its command line, and is in the host's namespace
        wait.until(lambda: directory.name in Path(f"/proc/{other.pid}/cmdline").read_text(), what="the other process")
        podpy.run(["sh", "-c", f'echo {other.pid} > "{directory}/conmon.pid"']).ok()
        os.kill(second, signal.SIGKILL)
        wait.for_end(second)
        assert namespace(podpy) != os.readlink("/proc/self/ns/user")
    finally:
        other.kill()
        other.wait()


def test_what_an_earlier_boot_left_counts_no_more_though_another_id_has_it(podpy: Podpy) -> None:
    stale = podpy.runroot / "containers" / ("b" * 64)
    namespace(podpy)
    podpy.ok("unshare", "sh", "-c", f"mkdir -p {stale}/inner && touch {stale}/inner/x && chown -R 5:5 {stale}")
    podpy.ok("system", "migrate")
    (podpy.runroot / "boot-id").write_text("00000000-0000-0000-0000-000000000000")
    namespace(podpy)
    assert os.listdir(podpy.runroot / "containers") == []
    podpy.ok("rm", "--all")
    assert not list(podpy.runroot.glob("earlier-*"))
