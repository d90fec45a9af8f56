"""What must be true after a kill, and the next call."""

from __future__ import annotations

import os
import signal

from tests.support import processes, wait
from tests.support.engine import Podpy

KILLED = -signal.SIGKILL
SEED = int(os.environ.get("PODPY_TEST_SEED", "1"))


def assert_repaired(podpy: Podpy, image: str) -> None:
    """The next call works, `system check` then finds nothing, and no container, directory or process is left."""
    podpy.ok("run", "--rm", image, "true")
    podpy.ok("rm", "--all", "--force", "--time", "0")
    assert podpy.ok("system", "check") == ""
    assert podpy.ok("ps", "--all", "--quiet") == ""
    assert os.listdir(podpy.runroot / "containers") == []
    assert os.listdir(podpy.graphroot / "containers") == []
    assert os.listdir(podpy.graphroot / "tmp") in ([], ["blobs"])  # blobs: a pull that was cut off goes on from there
    wait.until(lambda: not helpers(podpy), what="conmon, pasta and the containers have ended")


def helpers(podpy: Podpy) -> list[str]:
    """Return every process of this podpy but the holder."""
    found = (processes.describe(pid) for pid in processes.mentioning([podpy.home, podpy.runtime_dir], podpy.marker))
    return [text for text in found if "podpy-holder" not in text]
