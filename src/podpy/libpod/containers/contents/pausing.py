"""Freeze a running container for a while, and thaw it in any case."""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import NotSupportedError, PodpyError
from podpy.libpod.containers.table import PAUSED, RUNNING
from podpy.notice import note, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held


class HeldStill:
    """A context in which a running container's processes are frozen, if `wanted` (None: only if that is possible).

    The row doesn't show it: a second process thaws the container if this one is killed in the block. If thawing fails,
    the row says `paused` from then on. Entering raises NotSupportedError if `wanted` is true and the container has no
    cgroup.
    """

    def __init__(self, container: Held, *, wanted: bool | None) -> None:
        self._container = container
        self._wanted = wanted is not False and container.row.status == RUNNING
        self._optional = wanted is None
        self._writing = -1
        self._guard = 0

    def __enter__(self) -> None:
        if not self._wanted:
            return
        from podpy.rootless.cgroups import show_v2

        show_v2()
        self._watch()
        try:
            self._container.engine.oci_runtime.pause(self._container.id)
        except NotSupportedError as error:
            self._leave(frozen=False)
            if not self._optional:
                raise
            note(f"the container goes on meanwhile: {error.message}")
        except BaseException:
            self._leave(frozen=True)
            raise

    def __exit__(self, *_error: object) -> None:
        self._leave(frozen=True)

    def _watch(self) -> None:
        """Start the process that thaws the container when this process has ended or leaves the block."""
        runtime = self._container.engine.oci_runtime  # found before the fork: the child must not read configuration
        reading, self._writing = os.pipe()
        self._guard = process.fork()
        if self._guard:
            os.close(reading)
            return
        code = 1
        try:
            os.close(self._writing)
            os.setsid()  # a terminal's Ctrl-C must end podpy, but not this process
            frozen = os.read(reading, 1) != b"n"
            if frozen:
                runtime.resume(self._container.id)
            code = 0
        except (PodpyError, OSError):
            pass  # perhaps it has ended meanwhile: the caller looks, if it is still there
        finally:
            os._exit(code)

    def _leave(self, *, frozen: bool) -> None:
        if self._writing < 0:
            return
        try:
            os.write(self._writing, b"y" if frozen else b"n")
        except BrokenPipeError:
            pass  # the second process was killed: its exit code says so
        os.close(self._writing)
        self._writing = -1
        if process.wait(self._guard) and frozen:
            self._thaw()

    def _thaw(self) -> None:
        """Do what the second process couldn't; if that fails, too, say so, here and in the row."""
        runtime = self._container.engine.oci_runtime
        try:
            runtime.resume(self._container.id)
        except (PodpyError, OSError) as error:
            if not self._is_frozen():
                return
            self._container.engine.table.update(self._container.id, "pause", status=PAUSED)
            name = self._container.name
            warn(f"container {name} is still paused (podpy unpause {name} lets it go on): {error}")

    def _is_frozen(self) -> bool:
        try:
            return bool(self._container.engine.oci_runtime.state(self._container.id).get("status") == "paused")
        except (PodpyError, OSError):
            return False  # it has ended
