"""Which cgroup manager is possible, as the unprivileged user, on the kinds of hosts that there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.rootless.helpers import python, python_environment
from tests.support import needs
from tests.support.engine import Podpy, Result

LOOK = """
import json
from podpy import rootless
from podpy.rootless.mounts import private_mounts
from podpy.notice import take_warnings
from podpy.config.paths import Paths
rootless.enter(Paths.find())
private_mounts()
view = rootless.cgroup_view(wanted=WANTED)
warnings = take_warnings()
print(json.dumps([view.manager, view.mode, view.parent, sorted(view.controllers), view.reason, view.spec_path("abc"),
                  view.runtime_flags("/usr/bin/crun"), view.runtime_flags("runc"), warnings,
                  open("/proc/self/mountinfo").read()]))
"""


def _look(podpy: Podpy, wanted: str = "") -> list[Any]:
    answer: list[Any] = json.loads(python(podpy, f"WANTED = {wanted!r}\n" + LOOK).ok())
    return answer


def test_hybrid_host_shows_cgroup2_to_the_runtime(podpy: Podpy) -> None:
    """crun refuses the hybrid layout; here it sees cgroup2 at /sys/fs/cgroup, and nobody else does."""
    needs.require("hybrid-cgroups")
    manager, mode, *_, mounts = _look(podpy)
    assert mode == "hybrid"
    at_root = [line.split() for line in mounts.splitlines() if line.split()[4] == "/sys/fs/cgroup"]
    assert " cgroup2 " in " ".join(at_root[-1])
    assert "cgroup2" not in [
        line.split()[8]
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
        if line.split()[4] == "/sys/fs/cgroup"
    ]
    if manager == "none":
        bundle = _bundle(podpy)
        command = ["--cgroup-manager=disabled", "--root", f"{bundle}/state", "run", "-b", os.fspath(bundle), "podpy-cg"]
        code = f"WANTED = ''\n{LOOK}\nimport os\nos.execvp('crun', {['crun', *command]!r})"
        assert python(podpy, code).ok().splitlines()[-1] == "it runs"


def test_without_delegation_there_is_no_manager(podpy: Podpy) -> None:
    """No cgroupsPath, no limits, and a reason in words."""
    manager, _, parent, controllers, reason, path, crun, runc, warnings, _ = _look(podpy, "none")
    assert (manager, parent, controllers, path, crun, runc) == ("none", "", [], "", ["--cgroup-manager=disabled"], [])
    assert reason == "it was asked for"
    assert warnings == []


def _in_delegated_cgroup(podpy: Podpy, code: str) -> Result:
    """Run Python as the test's user in a cgroup2 subtree that belongs to it, with only cgroup2 mounted."""
    user = podpy.user
    script = f"""
set -e
umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
own=/sys/fs/cgroup/podpy-test-$$
mkdir $own
chown {user.uid}:{user.gid} $own $own/cgroup.procs $own/cgroup.subtree_control
sh -c 'echo $$ > "$0"/cgroup.procs; exec setpriv --reuid {user.uid} --regid {user.gid} --init-groups "$@"' $own "$@"
setpriv --reuid {user.uid} --regid {user.gid} --init-groups {podpy.launcher} system migrate    # the holder is in there
find $own -depth -type d -exec rmdir {{}} +
"""
    command = ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, "-c", code]
    environment = {**podpy.environment(), **python_environment(podpy)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", timeout=60)
    return Result(command, done.returncode, done.stdout, done.stderr)


def test_delegated_cgroup_is_used(podpy: Podpy) -> None:
    """The containers' cgroups go below this process's own, and crun is told their path."""
    needs.require("mount")
    done = _in_delegated_cgroup(podpy, "WANTED = ''\n" + LOOK)
    manager, mode, parent, _, _, path, crun, *_ = json.loads(done.ok())
    assert (manager, mode) == ("cgroupfs", "v2")
    assert parent.startswith("/podpy-test-")
    assert parent.endswith("/podpy")
    assert path == f"{parent}/libpod-abc"
    assert crun == ["--cgroup-manager=cgroupfs"]


def test_wanted_manager_that_is_not_possible_is_said(podpy: Podpy) -> None:
    """Never silently another one."""
    needs.require("no-systemd")
    needs.require("mount")
    done = _in_delegated_cgroup(podpy, "WANTED = 'systemd'\n" + LOOK)
    manager, *_, warnings, _ = json.loads(done.ok())
    assert manager == "cgroupfs"
    assert len(warnings) == 1
    assert warnings[0].startswith("cgroup manager systemd isn't possible here (no user manager can be reached)")


def test_user_manager_makes_the_cgroups_where_it_can_be_reached(podpy: Podpy) -> None:
    """As scopes in the user's slice; only systemd may move a process out of a session's scope."""
    needs.require("systemd")
    runtime = f"/run/user/{podpy.user.uid}"
    if not Path(runtime, "systemd/private").exists():
        subprocess.run(["loginctl", "enable-linger", podpy.user.name], check=True)
    done = python(podpy, "WANTED = ''\n" + LOOK, env={"XDG_RUNTIME_DIR": runtime})
    manager, _, parent, _, _, path, crun, runc, *_ = json.loads(done.ok())
    assert (manager, parent, path) == ("systemd", "user.slice", "user.slice:libpod:abc")
    assert (crun, runc) == (["--cgroup-manager=systemd"], ["--systemd-cgroup"])
    podpy("system", "migrate", env={"XDG_RUNTIME_DIR": runtime}).ok()


def _bundle(podpy: Podpy) -> Path:
    """A minimal OCI bundle that prints one line."""
    bundle = podpy.home / "bundle"
    for part in ("rootfs/bin", "rootfs/proc", "rootfs/dev", "rootfs/sys"):
        (bundle / part).mkdir(parents=True)
    (bundle / "rootfs/bin/busybox").write_bytes(Path("/bin/busybox").read_bytes())
    (bundle / "rootfs/bin/busybox").chmod(0o755)
    config = {
        "ociVersion": "1.0.2",
        "process": {"user": {"uid": 0, "gid": 0}, "args": ["/bin/busybox", "echo", "it runs"], "cwd": "/"},
        "root": {"path": "rootfs"},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network", "cgroup")]},
    }
    (bundle / "config.json").write_text(json.dumps(config))
    subprocess.run(["chown", "-R", f"{podpy.user.uid}:{podpy.user.gid}", bundle], check=True)
    return bundle
