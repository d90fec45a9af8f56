"""System: `runtime.system`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.libpod.runtime import Runtime
    from podpy.libpod.system.disk_usage import DiskUsage
    from podpy.libpod.system.prune import Pruned
    from podpy.rootless.checks.check import Check


class System:
    """The engine and its host."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def info(self) -> dict[str, Any]:
        """Return what `podpy info` shows: host, store, registries, version; Podman's names."""
        from podpy.libpod.system.info import info

        return info(self._runtime)

    def version(self) -> dict[str, Any]:
        """Return the version of podpy and of its parts."""
        from podpy.libpod.system.info import version

        return version()

    def df(self) -> DiskUsage:
        """Return how much space images, containers and volumes take, in bytes."""
        from podpy.libpod.system.disk_usage import disk_usage

        return disk_usage(self._runtime)

    def prune(self, filters: Sequence[str] = (), *, every: bool = False, volumes: bool = False) -> dict[str, Pruned]:
        """Remove what isn't used; see `Runtime.prune`."""
        return self._runtime.prune(filters, every=every, volumes=volumes)

    def doctor(self) -> list[Check]:
        """Return every check of the host: whether it is fit, and what to do if not."""
        from podpy.libpod.system.doctor import checks

        return checks(self._runtime.paths)

    def check(self, *, mend: bool = False, quick: bool = False) -> tuple[list[str], bool]:
        """Check the store; return what was found, and whether all is well now. `mend`: repair it."""
        from podpy.libpod.system.check import check

        return check(self._runtime, mend=mend, quick=quick)
