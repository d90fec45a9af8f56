"""The user's namespaces: made by the first call of a boot, joined by the later ones. See docs/rootless.md.

    enter(paths)             joins the user's user and mount namespaces; root, or inside: nothing to do
    run_inside(paths, function, *args) -> its result      for callers with threads: in a forked helper, pickled back
    run_telling(paths, function, hear) -> its result      the same; `hear` gets the function's reports at once
    cgroup_view(wanted="") -> CgroupView                  manager, mode, controllers, and why there aren't more
    idmaps() -> (uid map, gid map)                        lists of (inside, outside, size)
    mounts.private_mounts()                               gives this process its own mount namespace

namespace.py   enter, idmaps: the everyday path
first.py       the first call of a boot: id maps, the holder (pause process), its record
holder.py      the holder's record and end
subids.py      subordinate ids from /etc/subuid, /etc/subgid and NSS
helper.py      run_inside, run_telling
cgroups.py     the usable cgroup manager, and cgroup v2's hierarchy on hybrid hosts
checks/        checks of the host, each with a command that helps (doctor.py), and errors made from them (mends.py)

`enter` raises RootlessError with a hint. The kernel lets only a process with one thread enter a user namespace.
"""

from __future__ import annotations

from podpy.rootless.namespace import (
    check_boot,
    enter,
    idmaps,
    is_inside,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from podpy.config.paths import Paths
    from podpy.rootless.cgroups import CgroupView

    T = TypeVar("T")

__all__ = [
    "cgroup_view",
    "check_boot",
    "enter",
    "idmaps",
    "is_inside",
    "run_inside",
    "run_telling",
]


def run_inside(paths: Paths, function: Callable[..., T], *args: object) -> T:
    """Return function(*args), called in a forked helper inside the user's namespaces. See podpy.rootless.helper."""
    from podpy.rootless import helper

    return helper.run_inside(paths, function, *args)


def run_telling(paths: Paths, function: Callable[[Callable[[object], None]], T], hear: Callable[[object], None]) -> T:
    """The same, for a function that tells something on its way. See podpy.rootless.helper."""
    from podpy.rootless import helper

    return helper.run_telling(paths, function, hear)


def cgroup_view(*, wanted: str = "") -> CgroupView:
    """Return what cgroups this process can use. See podpy.rootless.cgroups."""
    from podpy.rootless import cgroups

    return cgroups.cgroup_view(wanted=wanted)
