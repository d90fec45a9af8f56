"""An OCI runtime that ends by a signal: what podpy does then, and what it says."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from podpy.errors import RuntimeFailedError
from podpy.oci.failures import explain_runtime_error
from podpy.oci.runtime import OciRuntime
from tests.support.engine import Podpy, shared_directory


def ends_by(directory: Path, signal: str, verb: str) -> Path:
    """Write a crun that ends by a signal when it is called with this verb, and does everything else."""
    path = directory / "crun"
    path.write_text(
        f'#!/bin/sh\ncase " $* " in *" {verb} "*) kill -{signal} $$ ;; esac\nexec {shutil.which("crun")} "$@"\n'
    )
    path.chmod(0o755)
    return path


def test_a_last_hook_that_does_not_read_its_state_ends_crun_but_loses_nothing(podpy: Podpy, busybox: str) -> None:
    shared = shared_directory(podpy)
    (shared / "hooks").mkdir(mode=0o755)
    hook = {"version": "1.0.0", "hook": {"path": "/bin/true"}, "when": {"always": True}, "stages": ["poststop"]}
    (shared / "hooks/x.json").write_text(json.dumps(hook))
    for path in (shared / "hooks", shared / "hooks/x.json"):
        os.chown(path, podpy.user.uid, podpy.user.gid)
    options = (f"--runtime={ends_by(shared, 'PIPE', 'delete')}", f"--hooks-dir={shared / 'hooks'}")
    podpy.ok(*options, "run", "--rm", "--network=none", busybox, "true")
    podpy.ok(*options, "run", "-d", "--name=c", "--network=none", busybox, "sleep", "300")
    podpy.ok(*options, "rm", "--force", "--time=0", "c")
    assert podpy.ok("ps", "-aq") == ""
    assert [path.name for path in (podpy.runroot / "oci").iterdir() if not path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "said", ["create keyring `a`: Disk quota exceeded", "unable to create session key: disk quota exceeded"]
)
def test_a_users_last_key_is_told_with_what_to_do(said: str) -> None:
    """crun's words with 200 running containers, and runc's: kernel.keys.maxkeys."""
    error = explain_runtime_error(said, "crun")
    assert str(error).startswith(f"crun: {said}: OCI runtime error")
    assert "kernel.keys.maxkeys" in error.hint and "keyring=false" in error.hint


def test_a_runtime_that_a_signal_ends_is_said_so(tmp_path: Path) -> None:
    runtime = OciRuntime(path=os.fspath(ends_by(tmp_path, "TERM", "state")), root=os.fspath(tmp_path))
    with pytest.raises(RuntimeFailedError, match=r"crun: it ended with signal 15: OCI runtime error$"):
        runtime.state("x")
