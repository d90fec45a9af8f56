"""The seccomp filter that an older crun compiles at each start: it is kept, and the next container gets the same."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from podpy.oci import compiled
from podpy.spec import families
from podpy.spec.container import FILTER_ANNOTATION
from tests.support.engine import Podpy, shared_directory

STATUS = "grep ^Seccomp /proc/self/status"
Start = Callable[..., "Started"]
LOAD, EQUAL, ALLOW = (0x20, 0, 0, 4), (0x15, 1, 0, 0xC000003E), (0x06, 0, 0, 0x7FFF0000)


class Started:
    """A container that was started, and what was seen of it."""

    def __init__(self, podpy: Podpy, identifier: str) -> None:
        config = json.loads((podpy.runroot / f"containers/{identifier}/bundle/config.json").read_text())
        self.was_given = config["annotations"].get(FILTER_ANNOTATION, "")
        self.has_profile = "seccomp" in config["linux"]
        self.filter = (podpy.runroot / f"oci/{identifier}/seccomp.bpf").read_bytes()


@pytest.fixture
def start(podpy: Podpy, busybox: str, guest: Path) -> Start:
    """Return a function that starts a container in the background, with crun: options → Started."""

    def call(*options: str, runtime: str = "crun", environment: dict[str, str] | None = None) -> Started:
        words = ("run", "-d", "--network=none", "--stop-signal=KILL", "-v", f"{guest}:/guest:ro", *options, busybox)
        return Started(podpy, podpy.ok(f"--runtime={runtime}", *words, "sleep", "300", env=environment))

    return call


@pytest.fixture
def compiles(podpy: Podpy, busybox: str, session_base: Path) -> bool:
    """Whether this machine's crun keeps no compiled filters itself."""
    podpy.ok("--runtime=crun", "run", "--rm", "--network=none", busybox, "true")
    return not (podpy.runroot / "oci/.cache/seccomp").exists()


def test_the_second_container_gets_the_filter_that_was_made_for_the_first(
    podpy: Podpy, start: Start, compiles: bool
) -> None:
    second = start("--name=second")
    denied = [str(number) for number in families.DENIED]
    inside = podpy.ok("exec", "second", "/guest/sockets", "1", "2", "16:0", "16:9", *denied)
    filters = [int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "filters" in line]
    said = podpy.ok("exec", "second", "sh", "-c", STATUS).split()
    assert said == ["Seccomp:", "2", "Seccomp_filters:", str(filters[0] + 1)], "one more than this process has"
    assert FILTER_ANNOTATION not in podpy.json("inspect", "second")[0]["Config"]["Annotations"]
    assert podpy.ok("top", "second", "seccomp").split() == ["SECCOMP", "filter"]
    kept = list((podpy.runroot / "cache").glob("*.bpf64"))
    assert (bool(second.was_given), second.has_profile, len(kept)) == (compiles, not compiles, int(compiles))
    for path in kept:
        path.write_bytes(path.read_bytes()[:400])
    first = start("--name=first")
    assert not first.was_given and first.has_profile
    assert first.filter == second.filter
    assert podpy.ok("exec", "first", "/guest/sockets", "1", "2", "16:0", "16:9", *denied) == inside


def test_each_profile_and_each_set_of_capabilities_has_its_own(podpy: Podpy, start: Start, compiles: bool) -> None:
    first, held = start(), start("--cap-add=SYS_PTRACE")
    assert bool(first.was_given) == compiles and not held.was_given and held.has_profile
    profile = podpy.home / "own.json"
    profile.write_text(
        '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_ERRNO"}]}'
    )
    own = [start(f"--security-opt=seccomp={profile}") for _ in range(2)]
    assert [bool(each.was_given) for each in own] == [False, compiles]
    assert own[0].filter == own[1].filter != first.filter
    profile.write_text(profile.read_text().replace("swapon", "swapoff"))
    assert not start(f"--security-opt=seccomp={profile}").was_given


def test_a_profile_with_flags_and_annotations_of_ones_own_go_to_crun_as_they_are(podpy: Podpy, start: Start) -> None:
    profile = podpy.home / "own.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"]}')
    assert all(start(f"--security-opt=seccomp={profile}").has_profile for _ in range(2))
    option = "--annotation=run.oci.seccomp_fail_unknown_syscall=0"
    assert all(start(option).has_profile for _ in range(2))
    hooks = str(podpy.home / "hooks.d")
    hook = {"version": "1.0.0", "hook": {"path": "/bin/true"}, "when": {"always": True}, "stages": ["poststop"]}
    podpy.run(["sh", "-c", 'umask 022; mkdir "$0"; cat >"$0/own.json"', hooks], input=json.dumps(hook)).ok()
    conf = podpy.home / "containers.conf"
    conf.write_text(f'[engine]\nhooks_dir = ["{hooks}"]\n')
    assert all(start(environment={"CONTAINERS_CONF": str(conf)}).has_profile for _ in range(2))


def test_a_crun_that_takes_no_compiled_filter_is_given_none(podpy: Podpy, start: Start) -> None:
    program = shared_directory(podpy) / "crun"
    program.write_text(f'#!/bin/sh\nexec {shutil.which("crun")} "$@"\n')  # it says nothing of the annotation
    program.chmod(0o755)
    assert all(start(runtime=str(program)).has_profile for _ in range(2))


def test_a_filter_that_is_cut_or_of_another_architecture_is_none() -> None:
    def packed(*instructions: tuple[int, int, int, int]) -> bytes:
        return b"".join(struct.pack("HBBI", *each) for each in instructions)

    whole = packed(LOAD, EQUAL, ALLOW, ALLOW)
    machine = subprocess.run(["uname", "-m"], check=True, capture_output=True, text=True).stdout.strip()
    assert compiled.is_filter(whole) == (machine == "x86_64")
    assert not compiled.is_filter(whole[:-1]) and not compiled.is_filter(whole[:-8]) and not compiled.is_filter(b"")
    assert not compiled.is_filter(packed(LOAD, EQUAL, ALLOW, EQUAL))
    assert not compiled.is_filter(packed(LOAD, (0x15, 1, 0, 1), ALLOW, ALLOW))
    assert not compiled.is_filter(packed(ALLOW, EQUAL, ALLOW, ALLOW))
    assert not compiled.is_filter(packed(LOAD, EQUAL, *[ALLOW] * 4096))
