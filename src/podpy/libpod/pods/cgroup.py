"""A pod's cgroup: the parent of its containers' cgroups."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.rootless.cgroups import CgroupView


def view_of(engine: Engine) -> CgroupView:
    """Return the view of cgroups that the next start will have; manager `none` where a look would mount."""
    from podpy import rootless
    from podpy.rootless.cgroups import CgroupView, cgroup_mode

    if cgroup_mode() != "v2":
        return CgroupView(manager="none", mode="")
    return rootless.cgroup_view(wanted=engine.settings.cgroup_manager or engine.conf.cgroup_manager)
