"""Waits until a process has ended, then removes what its test session has left. Run as a program, by its path.

    watcher.py PID SESSION GRAPHROOT RUNROOT DIRECTORY…

It has a session of its own, so Ctrl-C and a kill of the process group don't reach it; if it is killed nevertheless,
the next test session does its work. The engine (found in the DIRECTORIES) is loaded after the wait.
"""

from __future__ import annotations

import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.testing.leftovers import Session


def start(session: Session) -> int:
    """Start the watcher of a session, and return its pid. Raises OSError."""
    from podpy import process

    paths = session.runtime.paths
    arguments = [str(session.pid), session.name, paths.graphroot, paths.runroot, *filter(None, sys.path)]
    # Not process.spawn: that changes which of this process's descriptors its other children inherit.
    pid = process.fork()
    if pid == 0:
        try:
            os.setsid()
            os.chdir("/")
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(3):
                os.dup2(null, descriptor)
            process.close_files((0, 1, 2))
            os.execv(sys.executable, [sys.executable, "-I", "-S", os.path.abspath(__file__), *arguments])
        finally:
            os._exit(127)
    return pid


def stop(pid: int) -> None:
    """End the watcher: its work is done."""
    os.kill(pid, 9)
    os.waitpid(pid, 0)


def wait_for_end(pid: int) -> None:
    """Return when the process, our parent, has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    if os.getppid() == pid:  # else it has ended before, and another one may have its number
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll()
    os.close(descriptor)


def main(arguments: list[str]) -> None:
    """Wait, and remove."""
    pid, name, graphroot, runroot, *directories = arguments
    wait_for_end(int(pid))
    sys.path[:] = [*directories, *sys.path]
    from podpy.config.paths import Paths
    from podpy.library.runtime import Runtime
    from podpy.testing.leftovers import remove_all_of

    with Runtime(Paths.find(graphroot, runroot)) as runtime:
        remove_all_of(runtime, name)


if __name__ == "__main__":
    main(sys.argv[1:])
