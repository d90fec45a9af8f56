"""`podpy mount` and `podpy unmount`."""

from __future__ import annotations

from tests.support.engine import Podpy


def inside(podpy: Podpy, *args: str) -> str:
    """Return what podpy prints in `podpy unshare`."""
    return podpy.ok("unshare", str(podpy.launcher), *args)


def test_a_container_is_mounted_whether_it_runs_or_not(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "c", "-v", "vol:/vol", busybox, "sleep", "1000")
    podpy.ok("exec", "c", "sh", "-c", "echo in > /in; echo v > /vol/v")
    identity = podpy.ok("inspect", "--format", "{{.Id}}", "c")
    podpy("mount", "c").fails(
        125, 'cannot run command "podpy mount" in rootless mode, must execute `podpy unshare` first'
    )
    path = inside(podpy, "mount", "c")
    assert inside(podpy, "mount", "c") == path
    assert podpy.ok("unshare", "sh", "-c", f"cat {path}/in; ls {path}/vol; echo out > {path}/out") == "in"
    assert podpy.ok("exec", "c", "cat", "/out") == "out"
    assert inside(podpy, "mount").split() == [identity[:12], path]
    shown = podpy.json("unshare", str(podpy.launcher), "mount", "--format", "json")
    assert shown == [{"id": identity, "Names": ["c"], "mountpoint": path}]
    podpy.ok("stop", "-t", "0", "c")
    podpy.ok("unshare", "sh", "-c", f"echo later > {path}/later")
    podpy.ok("start", "c")  # with the same mount
    assert podpy.ok("exec", "c", "cat", "/later") == "later"
    podpy.ok("exec", "c", "sh", "-c", "echo again > /again")
    assert podpy.ok("unshare", "cat", f"{path}/again") == "again"
    assert inside(podpy, "unmount", "c") == identity
    podpy("unmount", "c").fails(125, f"unmounting container {identity}: layer is not mounted")
    assert podpy.ok("exec", "c", "cat", "/again") == "again"
    podpy.ok("rm", "-f", "-t", "0", "c")


def test_all_and_removal(podpy: Podpy, busybox: str) -> None:
    for name in ("one", "two"):
        podpy.ok("create", "--name", name, busybox, "cat", "/x")
    paths = inside(podpy, "mount", "--all").splitlines()
    assert len(paths) == 2
    podpy.ok("unshare", "sh", "-c", f"echo x > {paths[0]}/x")
    assert podpy.ok("start", "-a", "one") == "x"
    podpy.ok("rm", "one")
    assert len(inside(podpy, "mount").splitlines()) == 1
    assert podpy("unshare", "ls", paths[0]).returncode != 0
    podpy.ok("umount", "-a")
    assert inside(podpy, "mount") == ""
    podpy("unshare", str(podpy.launcher), "mount", "nosuch").fails(125, 'no container with name or ID "nosuch" found')
    assert podpy.ok("system", "check") == ""
