"""The end of a network whose start was killed."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

from podpy.network.netns import NETNS, EndNetwork


def started(directory: Path, name: str, netns: Path) -> subprocess.Popen[bytes]:
    """Start a process that is called `name`, names the netns on its command line, and waits for its input's end."""
    program = directory / name
    shutil.copy("/bin/sh", program)
    return subprocess.Popen([program, "-c", "read line", netns], stdin=subprocess.PIPE)


def test_a_helper_whose_pid_was_never_written_down_is_ended_and_nothing_else(tmp_path: Path) -> None:
    run = tmp_path / "containers/0123456789abcdef"
    run.mkdir(parents=True)
    netns = run / NETNS
    netns.touch()
    helper, monitor, other = (
        started(tmp_path, name, where)
        for name, where in (("slirp4netns", netns), ("conmon", netns), ("pasta", run / "other"))
    )
    try:
        EndNetwork(str(run)).execute()
        assert helper.wait(60) == -signal.SIGKILL
        assert not netns.exists()
        assert (monitor.poll(), other.poll()) == (None, None)
    finally:
        for process in (helper, monitor, other):
            process.communicate(timeout=60)
