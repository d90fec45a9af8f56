"""What the host must offer to a rootless engine: each check with its cause and its mend.

`podpy system doctor` prints the checks. The errors of failed operations are made of the same checks, so both say the
same.
"""

from __future__ import annotations

from podpy.rootless.checks import host_checks, user_checks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.config.paths import Paths
    from podpy.rootless.checks.check import Check

# The user's namespace comes first: without it the others can't be tried.
_USER: tuple[Callable[[Paths], Check], ...] = (
    user_checks.user_namespaces,
    user_checks.id_map_tools,
    user_checks.subordinate_ids,
    user_checks.holder_state,
    user_checks.run_directory,
    user_checks.lingering,
    host_checks.mounts,
)
_PROGRAMS: tuple[Callable[[Paths], Check], ...] = (host_checks.oci_runtime, host_checks.conmon)
_HOST: tuple[Callable[[Paths], Check], ...] = (
    host_checks.tun,
    host_checks.fuse,
    host_checks.graph_filesystem,
    host_checks.overlay,
    host_checks.cgroup_delegation,
    host_checks.inotify,
    host_checks.low_ports,
)


def checks(paths: Paths, *more: Callable[[Paths], Check]) -> list[Check]:
    """Return the result of every check that concerns this user, the namespace's own first.

    `more` are those of rooms above this one (podpy.network.doctor); they come after those of other programs.
    """
    functions = (*(_USER if paths.rootless else ()), *_PROGRAMS, *more, *_HOST)
    return [function(paths) for function in functions]
