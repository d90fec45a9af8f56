"""A container's cgroup: `--cgroups`, `--cgroup-parent` and the host's view → linux.cgroupsPath."""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.rootless.cgroups import CgroupView
    from podpy.spec.container import ContainerSpec

DISABLED, SPLIT = "disabled", "split"


def wanted_manager(spec: ContainerSpec, configured: str) -> str:
    """Return the cgroup manager to ask `rootless.cgroup_view` for: "none" with `--cgroups=disabled`."""
    if spec.cgroups == DISABLED:
        return "none"
    # A payload's cgroup beside podpy's own is made directly: systemd would put it into a scope elsewhere.
    return "cgroupfs" if spec.cgroups == SPLIT else configured


def path(spec: ContainerSpec, view: CgroupView, container_id: str) -> str:
    """Return cgroupsPath: SLICE:libpod:ID for systemd, a path for cgroupfs, "" if the runtime must not make one.

    Raises UsageError for a parent that doesn't fit the manager.
    """
    if spec.cgroups == DISABLED or view.manager == "none":
        return ""
    if spec.cgroups == SPLIT and view.manager == "cgroupfs":
        from podpy.rootless.cgroups import LEAF, own_cgroup

        return f"{own_cgroup().removesuffix(f'/{LEAF}')}/libpod-payload-{container_id}"
    if spec.in_pod_cgroup:
        above = pod_path(spec.pod, spec.cgroup_parent, view)
        return f"{above}:libpod:{container_id}" if view.manager == "systemd" else f"{above}/libpod-{container_id}"
    if not spec.cgroup_parent:
        return view.spec_path(container_id)
    if view.manager == "systemd":
        if not spec.cgroup_parent.endswith(".slice"):
            raise _not_a_slice(spec.cgroup_parent)
        return f"{spec.cgroup_parent.rpartition('/')[2]}:libpod:{container_id}"
    return f"/{spec.cgroup_parent.strip('/')}/libpod-{container_id}"


def pod_path(pod_id: str, parent: str, view: CgroupView) -> str:
    """Return the cgroup of a pod below `parent` ("": the view's): a slice's name for systemd, else a path, or "".

    Raises UsageError for a parent that doesn't fit the manager.
    """
    if view.manager == "none":
        return ""
    if view.manager == "systemd":
        if parent and not parent.endswith(".slice"):
            raise _not_a_slice(parent)
        above = (parent or view.parent).rpartition("/")[2].removesuffix(".slice")
        return f"{above}-libpod_pod_{pod_id}.slice"
    return f"/{(parent or view.parent).strip('/')}/{pod_id}"


def shown_pod_path(pod_id: str, parent: str, view: CgroupView, uid: int) -> str:
    """Return a pod's cgroup as `inspect` shows it: with systemd all slices above, below the manager of the user `uid`
    (0: the system's). Raises as `pod_path`.
    """
    path = pod_path(pod_id, parent, view)
    if view.manager != "systemd":
        return path
    words = path.removesuffix(".slice").split("-")
    slices = ["-".join(words[:count]) + ".slice" for count in range(1, len(words) + 1)]  # systemd.slice(5)
    above = ["user.slice", f"user-{uid}.slice", f"user@{uid}.service"] if uid else []
    return "/".join([*above, *slices])


def _not_a_slice(parent: str) -> UsageError:
    return UsageError(
        f"did not receive systemd slice as cgroup parent when using systemd to manage cgroups: {parent}",
        hint="Give a name that ends in .slice, or use --cgroup-manager=cgroupfs",
    )
