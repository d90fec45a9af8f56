"""`kube play` is killed between any two steps: the next call that changes anything, or lists, removes what it made."""

from __future__ import annotations

import pytest

from tests.support.engine import Podpy

KILLED = -9
SHOP = """\
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce]}
---
kind: Secret
metadata: {name: sec}
stringData: {pw: geheim}
---
kind: Pod
metadata: {name: shop}
spec:
  terminationGracePeriodSeconds: 0
  volumes:
  - {name: d, persistentVolumeClaim: {claimName: data}}
  - {name: s, secret: {secretName: sec}}
  - {name: made, hostPath: {path: HOME/made/for/it, type: DirectoryOrCreate}}
  - {name: file, hostPath: {path: HOME/made/file, type: FileOrCreate}}
  containers:
  - name: a
    image: localhost/busybox
    command: [sleep, "1000"]
    volumeMounts: [{name: d, mountPath: /d}, {name: s, mountPath: /s}, {name: made, mountPath: /m}]
  - {name: b, image: localhost/busybox, command: [sleep, "1000"]}
"""


def left(podpy: Podpy) -> str:
    """Return the names of all pods, containers, volumes and secrets."""
    shown = (("pod", "ps"), ("ps", "-a"), ("volume", "ls"), ("secret", "ls"))
    names = ("{{.Name}}", "{{.Names}}", "{{.Name}}", "{{.Name}}")
    return "".join(
        podpy.ok(*command, "--noheading", f"--format={name}") for command, name in zip(shown, names, strict=True)
    )


@pytest.mark.parametrize("moment", ["pod:created", "WaitForStart:before", "WaitForStart:after"])
def test_the_next_call_removes_what_a_killed_play_made(podpy: Podpy, busybox: str, moment: str) -> None:
    text = SHOP.replace("HOME", str(podpy.home))
    killed = podpy("kube", "play", "-", input=text, env={"PODPY_CRASH_AT": moment})
    assert killed.returncode == KILLED, killed.describe()
    assert "data" in podpy.ok("volume", "ls", "-q").split()
    next_call = ("pod", "ps") if moment == "WaitForStart:after" else ("run", "--rm", "--network=none", busybox, "true")
    podpy.ok(*next_call)
    assert podpy.ok("volume", "ls", "-q") == ""
    assert left(podpy) == ""
    assert not (podpy.home / "made").exists()


def test_the_same_file_can_be_played_after_a_kill(podpy: Podpy, busybox: str) -> None:
    text = SHOP.replace("HOME", str(podpy.home))
    podpy("kube", "play", "-", input=text, env={"PODPY_CRASH_AT": "WaitForStart:after"})
    podpy.ok("kube", "play", "-", input=text)
    assert podpy.ok("pod", "ps", "--format={{.Name}} {{.Status}}") == "shop Running"
    podpy.ok("run", "--rm", "--network=none", busybox, "true")
    assert podpy.ok("pod", "ps", "--format={{.Name}} {{.Status}}") == "shop Running"  # what is complete stays
    podpy.ok("kube", "down", "--force", "-", input=text)
    assert left(podpy) == ""
