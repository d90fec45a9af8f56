"""Signals for a foreground `run` while its container is still being started."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import wait
from tests.support.engine import Podpy, shared_directory

RUNTIME = """#!/bin/sh
# crun, but `run` waits until it may go on.
case " $* " in *" run "*) touch {place}/asked; until [ -e {place}/go ]; do sleep 0.05; done ;; esac
exec crun "$@"
"""


@pytest.fixture
def place(podpy: Podpy) -> Iterator[Path]:
    """A directory with the runtime `slow`, which touches `asked` and waits for `go`."""
    path = shared_directory(podpy)
    (path / "slow").write_text(RUNTIME.format(place=path))
    (path / "slow").chmod(0o755)
    yield path
    (path / "go").touch()


def started(podpy: Podpy, busybox: str, place: Path) -> subprocess.Popen[bytes]:
    # Not as process 1 of a namespace, which nothing kills that it doesn't handle.
    run = podpy.popen("--runtime", f"{place}/slow", "run", "--network=none", "--pid=host", busybox, "sleep", "300")
    wait.until((place / "asked").exists, what="the runtime is asked to start the container")
    return run


def test_a_signal_before_the_container_runs_is_kept_for_it(podpy: Podpy, busybox: str, place: Path) -> None:
    run = started(podpy, busybox, place)
    run.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(timeout=0.5)
    (place / "go").touch()
    assert run.wait(timeout=100) == 128 + signal.SIGTERM


def test_the_second_one_ends_a_start_that_takes_too_long(podpy: Podpy, busybox: str, place: Path) -> None:
    run = started(podpy, busybox, place)
    run.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(timeout=0.5)
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=60) == 130
