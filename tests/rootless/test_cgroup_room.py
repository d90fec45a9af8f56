"""Containers where the cgroup that podpy stands in holds processes: it can't pass controllers on, and nobody waits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import images, needs
from tests.support.engine import Podpy, Result

# A cgroup2 tree at /sys/fs/cgroup whose root passes all controllers on; below it $own, with this shell in it.
OCCUPY = """
set -e
umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for name in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$name >/sys/fs/cgroup/cgroup.subtree_control; done
mkdir -p /run/systemd
mount -t tmpfs tmpfs /run/systemd
own=/sys/fs/cgroup/podpy-test-$$
mkdir $own
echo $$ >$own/cgroup.procs
"""
LEAVE = """
echo $$ >/sys/fs/cgroup/cgroup.procs
find $own -depth -type d -exec rmdir {} +
"""
# An OCI runtime that first tries what crun tries, and notes how that went.
CURIOUS = """#!/bin/sh
own=$(cat {log}.own)
for name in $(cat $own/cgroup.controllers); do
    (echo +$name >$own/cgroup.subtree_control) 2>/dev/null || echo "$name: refused" >>{log}
done
case "$*" in *" run "*) echo tried >>{log} ;; esac
exec crun "$@"
"""


def in_occupied_cgroup(podpy: Podpy, script: str) -> Result:
    """Run a shell script as root in a cgroup of its own that has controllers; `$own` is its path."""
    needs.require("cgroup-controllers")
    command = ["unshare", "--mount", "sh", "-c", f"{OCCUPY}\n{script}\n{LEAVE}"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=podpy.environment(),
        cwd="/",
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return Result(command, done.returncode, done.stdout, done.stderr)


@pytest.fixture
def root_image(podpy_root: Podpy, busybox_archive: Path) -> Iterator[str]:
    podpy_root("load", "-qi", str(busybox_archive)).ok()
    yield images.BUSYBOX


def test_a_users_start_tries_nothing_that_the_kernel_refuses(podpy: Podpy, busybox: str) -> None:
    """crun would try a thousand times and more; and the cgroup, with processes of others, stays as it is."""
    log, runtime = podpy.home / "log", podpy.home / "crun"
    runtime.write_text(CURIOUS.format(log=log))
    runtime.chmod(0o755)
    script = f"""
chown {podpy.user.uid}:{podpy.user.gid} $own $own/cgroup.procs $own/cgroup.subtree_control
echo $own >{log}.own
run="setpriv --reuid {podpy.user.uid} --regid {podpy.user.gid} --init-groups {podpy.launcher}"
$run --runtime {runtime} run --name=there --network=none {busybox} echo here
$run rm there
cat {log} $own/cgroup.type
echo "passed on: $(cat $own/cgroup.subtree_control)"
$run system migrate
"""
    done = in_occupied_cgroup(podpy, script)
    assert done.ok().splitlines() == ["here", "there", "tried", "domain", "passed on: "], done.describe()


IN_CONTAINER = """
cat >{home}/inside <<'EOF'
umount /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
{inside}
EOF
unshare --cgroup --mount --propagation private sh -e {home}/inside
"""


def in_container(podpy: Podpy, inside: str) -> Result:
    """Run a shell script as root where it stands in the root of a cgroup namespace, as in a container."""
    return in_occupied_cgroup(podpy, IN_CONTAINER.format(home=podpy.home, inside=inside))


def podpy_in(podpy: Podpy) -> str:
    return " ".join(podpy.command())


def test_in_a_container_all_processes_go_into_one_leaf(podpy_root: Podpy, root_image: str) -> None:
    """So the container's cgroup, which is nobody else's, passes everything on."""
    inside = f"""
{podpy_in(podpy_root)} run --rm --network=none {root_image} echo here
cat /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/cgroup.type /proc/self/cgroup
cmp /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/cgroup.subtree_control
"""
    lines = in_container(podpy_root, inside).ok().splitlines()
    assert lines[:2] == ["here", "domain"]
    assert "0::/init" in lines


def test_in_a_container_limits_are_enforced(podpy_root: Podpy, root_image: str) -> None:
    needs.require("cgroup-delegation")
    run = f"{podpy_in(podpy_root)} run --rm --network=none --memory=64m --pids-limit=77 --cpus=0.5 {root_image}"
    inside = f"{run} sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max cpu.max'"
    assert in_container(podpy_root, inside).ok().split() == ["67108864", "77", "50000", "100000"]


def test_where_the_cgroups_are_read_only_a_start_does_without(podpy_root: Podpy, root_image: str) -> None:
    """As in a container that isn't privileged; a limit is refused."""
    run = f"{podpy_in(podpy_root)} run --rm --network=none"
    inside = f"""
mount -o remount,ro,bind /sys/fs/cgroup
{run} {root_image} echo here
{run} --memory=64m {root_image} true || echo $?
"""
    done = in_container(podpy_root, inside)
    assert done.ok().splitlines() == ["here", "125"]
    assert "--memory" in done.stderr, done.describe()


DECIDE = """
import os, sys
from podpy.rootless import cgroups
cgroups.ROOT = sys.argv[1]
cgroups.systemd_is_running = lambda: sys.argv[2] == "systemd"
cgroups.own_cgroup = lambda: sys.argv[3]
view = cgroups._cgroupfs_view("v2", 1000, True)
print(view and (view.parent, sorted(view.controllers)))
"""


@pytest.mark.parametrize(
    ("init", "own", "parent"),
    [
        ("systemd", "/ci.service", ("/ci.service/podpy", [])),
        ("systemd", "/ci.service/main", ("/ci.service/podpy", ["memory"])),
        ("other", "/ci.service/main/deeper", ("/ci.service/podpy", ["memory"])),
    ],
)
def test_containers_go_where_controllers_can_be_passed_on(
    tmp_path: Path, init: str, own: str, parent: tuple[str, list[str]]
) -> None:
    """A unit's cgroup is asked if podpy stands in a leaf of it (DelegateSubgroup=), never what is above the unit."""
    for directory in ("ci.service/main/deeper", "ci.service/main", "ci.service"):
        place = tmp_path / directory
        place.mkdir(parents=True, exist_ok=True)
        processes = "" if own.startswith(f"/{directory}/") and directory == "ci.service" else "1\n"
        for name, text in (("controllers", "memory\n"), ("subtree_control", ""), ("procs", processes), ("type", "")):
            (place / f"cgroup.{name}").write_text(text)
    environment = {**os.environ, "PYTHONPATH": "src"}
    checkout = Path(__file__).parents[2]
    command = [sys.executable, "-c", DECIDE, str(tmp_path), init, own]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=checkout)
    assert done.stdout.strip() == repr(parent), done.stderr
