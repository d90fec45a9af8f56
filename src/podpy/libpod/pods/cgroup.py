"""A pod's cgroup: the parent of its containers' cgroups."""

from __future__ import annotations

import os

from podpy import rootless
from podpy.oci.cgroups import pod_path
from podpy.rootless.cgroups import ROOT, SYSTEMD, UNIFIED, CgroupView, cgroup_mode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.spec.pod import PodSpec


def view_of(engine: Engine) -> CgroupView:
    """Return the view of cgroups that the next start will have; manager `none` where looking would mount."""
    if cgroup_mode() != "v2":
        return CgroupView(manager="none", mode="")
    return rootless.cgroup_view(wanted=engine.settings.cgroup_manager or engine.conf.cgroup_manager)


def discard(engine: Engine, pod_id: str, spec: PodSpec) -> None:
    """Remove the cgroup, if any, of a pod without containers."""
    if not spec.share_parent:
        return
    view = view_of(engine)
    if view.manager == SYSTEMD:
        from podpy.systemd.slices import stop

        stop(engine.paths, pod_path(pod_id, spec.cgroup_parent, view))
    elif view.manager != "none":
        for root in (ROOT, UNIFIED):
            try:
                os.rmdir(root + pod_path(pod_id, spec.cgroup_parent, view))
            except OSError:
                continue  # it doesn't exist, or has other children
