"""Where the run directory is when no login session says it."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

from tests.rootless.helpers import in_changed_host, python
from tests.support import needs, wait
from tests.support.engine import Podpy

HIDE = "mount -t tmpfs -o mode=1777 none /tmp; mount -t tmpfs none /run; mkdir -p /run/user"


@pytest.fixture(autouse=True)
def _may_mount() -> None:
    needs.require("mount")


def _where(podpy: Podpy, changes: str = HIDE, *, xdg: str = "") -> list[str]:
    """Return the run directories that a call in a private /tmp and /run has made; its holder is ended."""
    script = 'find /tmp /run/user "$HOME/run" -name holder 2>/dev/null; "$0" system migrate'
    without = () if xdg else ("XDG_RUNTIME_DIR",)
    env = {"XDG_RUNTIME_DIR": xdg} if xdg else {}
    done = in_changed_host(
        podpy, changes, "unshare", "sh", "-c", script, os.fspath(podpy.launcher), env=env, without=without
    )
    assert done.stderr == "", done.describe()
    return [os.path.dirname(line) for line in done.ok().splitlines()]


def test_run_user_is_taken_if_it_is_the_users(podpy: Podpy) -> None:
    """`su` and cron set no XDG_RUNTIME_DIR, but the session's directory is there."""
    uid, gid = podpy.user.uid, podpy.user.gid
    changes = f"{HIDE}; mkdir -m 700 /run/user/{uid}; chown {uid}:{gid} /run/user/{uid}"
    assert _where(podpy, changes) == [f"/run/user/{uid}/podpy"]


def test_tmp_is_the_fall_back(podpy: Podpy) -> None:
    """A directory of one's own, quietly."""
    assert _where(podpy) == [f"/tmp/podpy-run-{podpy.user.uid}"]


@pytest.mark.parametrize("mode", [0o700, 0o777])
def test_run_directory_of_somebody_else_is_ignored_quietly(podpy: Podpy, mode: int) -> None:
    """`sudo -u` leaves root's XDG_RUNTIME_DIR in the environment."""
    changes = f"{HIDE}; mkdir -m {mode:o} /run/user/0"
    assert _where(podpy, changes, xdg="/run/user/0") == [f"/tmp/podpy-run-{podpy.user.uid}"]


@pytest.mark.xdist_group("fall-back run directory")
def test_link_or_open_directory_in_tmp_is_not_taken(podpy: Podpy) -> None:
    """Whoever was there first could replace what podpy writes."""
    uid = podpy.user.uid
    name = f"/tmp/podpy-run-{uid}"
    run = f"{podpy.home}/run"
    changes = f"{HIDE}; mkdir {run}; mkdir -m 777 {run}/theirs; ln -s {run}/theirs {name}"
    done = in_changed_host(podpy, changes, "unshare", "true", without=("XDG_RUNTIME_DIR",))
    assert done.returncode == 0, done.describe()
    fallback = Path(f"/var/tmp/podpy-run-{uid}")
    assert (fallback / "holder").exists()
    assert list(Path(f"{run}/theirs").iterdir()) == []
    in_changed_host(podpy, changes.replace("mkdir ", "mkdir -p "), "system", "migrate", without=("XDG_RUNTIME_DIR",))
    shutil.rmtree(fallback)


def test_run_directory_of_a_running_container_stays_in_use(podpy: Podpy) -> None:
    """A cron job without the session's environment must find the containers that the session has started."""
    podpy.ok("unshare", "true")
    directory = podpy.runroot / "containers" / ("c" * 64)
    other = podpy.home / "other"
    podpy.run(["mkdir", "-m", "700", os.fspath(other)]).ok()
    monitor = podpy.popen("unshare", "bash", "-c", f"exec -a {directory.name} sleep 1000")
    words = Path(f"/proc/{monitor.pid}/cmdline")
    wait.until(lambda: words.read_text().startswith(directory.name), what="the monitor")
    podpy.run(["sh", "-c", f"mkdir -m 700 {directory}; echo {monitor.pid} > {directory}/conmon.pid"]).ok()
    try:
        elsewhere = {"XDG_RUNTIME_DIR": os.fspath(other)}
        where = ("info", "--format", "{{.Store.RunRoot}}")
        assert podpy.ok(*where, env=elsewhere) == os.fspath(podpy.runroot)
    finally:
        monitor.kill()
        monitor.wait()
        shutil.rmtree(directory)
    assert podpy.ok(*where, env=elsewhere) == os.fspath(other / "podpy")
    podpy.ok("system", "migrate", env=elsewhere)


def test_home_of_somebody_else_is_not_used(podpy: Podpy) -> None:
    """`sudo -u` may leave root's HOME in the environment."""
    code = "from podpy.config.paths import Paths; print(Paths.find().home)"
    assert python(podpy, code, env={"HOME": "/root"}).ok() == pwd.getpwuid(podpy.user.uid).pw_dir
    assert python(podpy, code).ok() == os.fspath(podpy.home)


@pytest.mark.parametrize("mode", [0o700, 0o2700])
def test_a_run_directory_of_a_group_that_the_user_has_not_is_no_obstacle(podpy: Podpy, busybox: str, mode: int) -> None:
    """The container's root may not pass it, and with the set-group-id bit all that is made in it has its group."""
    needs.require("root")
    os.chown(podpy.runtime_dir, podpy.user.uid, 0)
    podpy.runtime_dir.chmod(mode)
    shared = podpy.home / "shared"
    shared.mkdir(mode=0o750)
    os.chown(shared, podpy.user.uid, 0)
    (shared / "file").write_text("seen")
    os.chown(shared / "file", podpy.user.uid, podpy.user.gid)
    words = ("run", "--rm", "--network=none", "--userns=keep-id", f"-v={shared}:/shared", busybox)
    assert podpy.ok(*words, "sh", "-c", "id -u; cat /shared/file").split() == [str(podpy.user.uid), "seen"]
