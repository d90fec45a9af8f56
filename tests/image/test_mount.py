"""`image mount` and `image unmount`."""

from __future__ import annotations

from tests.support.engine import Podpy


def test_mount_look_unmount(podpy: Podpy, busybox: str) -> None:
    identity = podpy.ok("image", "inspect", "--format", "{{.Id}}", busybox)
    podpy("image", "mount", busybox).fails(
        125, 'cannot run command "podpy image mount" in rootless mode, must execute `podpy unshare` first'
    )
    launcher = str(podpy.launcher)
    path = podpy.ok("unshare", launcher, "image", "mount", busybox)
    assert podpy.ok("unshare", launcher, "image", "mount", busybox) == path
    assert podpy.ok("unshare", "cat", f"{path}/etc/passwd").startswith("root:x:0:0")
    assert podpy("unshare", "touch", f"{path}/x").returncode != 0
    assert podpy.ok("unshare", launcher, "image", "mount").split() == [busybox, path]
    shown = podpy.json("unshare", launcher, "image", "mount", "--format", "json")
    assert shown == [{"id": identity, "Names": [busybox], "Repositories": [busybox], "mountpoint": path}]
    assert podpy.ok("image", "unmount", busybox) == identity
    assert podpy.ok("image", "unmount", busybox) == ""  # for scripts that clean up
    podpy("image", "unmount", "nope").fails(125, "nope: image not known")
    assert podpy.ok("unshare", launcher, "image", "mount") == ""


def test_a_mounted_image_stays(podpy: Podpy, busybox: str) -> None:
    identity = podpy.ok("image", "inspect", "--format", "{{.Id}}", busybox)
    launcher = str(podpy.launcher)
    podpy.ok("unshare", launcher, "image", "mount", "--all")
    podpy("rmi", busybox).fails(2, "is mounted")
    assert podpy.ok("image", "prune", "-af") == ""
    podpy.ok("image", "umount", "--all")
    path = podpy.ok("unshare", launcher, "image", "mount", busybox)
    assert podpy.ok("rmi", "--force", busybox).splitlines()[-1] == f"Deleted: {identity}"
    assert podpy("unshare", "ls", path).returncode != 0
    assert podpy.ok("system", "check") == ""


def test_mounts_end_with_the_namespaces(podpy: Podpy, busybox: str) -> None:
    podpy.ok("unshare", str(podpy.launcher), "image", "mount", busybox)
    podpy.ok("system", "migrate")
    assert podpy.ok("unshare", str(podpy.launcher), "image", "mount") == ""
    podpy.ok("rmi", busybox)
    assert podpy.ok("system", "check") == ""
