"""What a container gets from its pod at its creation (`run --pod`). Below libpod.containers, which calls it."""

from __future__ import annotations

from podpy.errors import NoSuchPodError, UsageError
from podpy.libpod.pods.table import PodTable
from podpy.spec.container import AS_CONFIGURED, ContainerSpec
from podpy.spec.pod import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.engine import Engine
    from podpy.libpod.pods.table import PodRow
    from podpy.spec.pod import PodSpec

_OF_THE_POD = "pod"
INIT_TYPES = ("always", "once")
_SHARED_NETWORK = "network cannot be configured when it is shared with a pod"
_SECURITY = ("apparmor", "seccomp")
_SECURITY_LISTS = ("security_labels", "mask", "unmask", "proc_opts")


def join(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    """Return the container's spec with its pod's id, namespaces, mounts, devices, and policies.

    Raises NoSuchPodError, and UsageError for options that belong to the pod.
    """
    if spec.is_infra:
        return spec
    row = PodTable(engine.database).find(spec.pod)
    pod = row.parsed()
    spec = spec.replace(**_namespaces(spec, row, pod))
    _check(spec, row)
    infra = ContainerSpec()
    changes: dict[str, Any] = {"pod": row.id}
    if row.infra_id:
        infra = _infra_spec(engine, row)
        if spec.userns == f"container:{row.infra_id}":  # so its files belong to the same ids
            changes.update(uid_maps=infra.uid_maps, gid_maps=infra.gid_maps)
        changes["requires"] = [row.infra_id, *(each for each in spec.requires if each != row.infra_id)]
    if not spec.restart_policy and not spec.init_container and not spec.remove:
        changes.update(restart_policy=pod.restart_policy, restart_retries=pod.restart_retries)
    if pod.share_parent and not spec.cgroup_parent:
        changes.update(cgroup_parent=pod.cgroup_parent, in_pod_cgroup=True)
    return _with_rights(_with_mounts(spec.replace(**changes), infra), pod.container)


def without_pod(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    """Return a container's spec without what came from its pod, for a copy elsewhere."""
    if not spec.pod:
        return spec
    infra = PodTable(engine.database).get(spec.pod).infra_id
    mine = f"container:{infra}"
    changes: dict[str, Any] = {field: AS_CONFIGURED for field in KINDS.values() if getattr(spec, field) == mine}
    if spec.in_pod_cgroup:
        changes.update(in_pod_cgroup=False, cgroup_parent="")
    return spec.replace(pod="", requires=[each for each in spec.requires if each != infra], **changes)


def check(engine: Engine, spec: ContainerSpec) -> None:
    """Raise NoSuchPodError if the pod's removal has begun. Called in the transaction that adds the container: after it
    the pod's removal finds the container.
    """
    if not spec.is_infra and PodTable(engine.database).get(spec.pod).removing:
        raise NoSuchPodError(f"no pod with name or ID {spec.pod} found: no such pod", hint="It was just removed")


def _infra_spec(engine: Engine, row: PodRow) -> ContainerSpec:
    from podpy.libpod.containers.held import find

    return find(engine, row.infra_id).spec


def _namespaces(spec: ContainerSpec, row: PodRow, pod: PodSpec) -> dict[str, Any]:
    """Return the infra container's namespaces that the pod shares, where the container's spec leaves them open."""
    changes: dict[str, Any] = {}
    shared = {KINDS[word] for word in pod.share} if row.infra_id else set()
    for field in KINDS.values():
        mode = getattr(spec, field)
        if mode == _OF_THE_POD and field not in shared:
            raise UsageError(f"--{field}=pod: the pod {row.name} doesn't share that namespace")
        if field in shared and mode in (AS_CONFIGURED, _OF_THE_POD):
            changes[field] = f"container:{row.infra_id}"
    return changes


def _check(spec: ContainerSpec, row: PodRow) -> None:
    """Raise UsageError, in Podman's words, for options that belong to the pod."""
    if spec.init_container and spec.init_container not in INIT_TYPES:
        raise UsageError(
            f"init container type must be one of {', '.join(INIT_TYPES)}: {spec.init_container!r}: invalid argument"
        )
    if spec.network != f"container:{row.infra_id}":
        return
    refused = {
        "networks must be defined when the pod is created": spec.networks,
        "published or exposed ports must be defined when the pod is created": spec.ports or spec.publish_all,
        "extra host entries must be specified on the pod": spec.add_hosts,
    }
    for text, given in refused.items():
        if given:
            raise UsageError(
                f"invalid config provided: {text}: {_SHARED_NETWORK}",
                hint="Give it to podpy pod create, or leave the network out of its --share",
            )


def _with_mounts(spec: ContainerSpec, infra: ContainerSpec) -> ContainerSpec:
    taken = {mount.target for mount in spec.mounts}
    added = [mount for mount in infra.mounts if mount.target not in taken]
    return spec.replace(mounts=[*added, *spec.mounts]) if added else spec


def _with_rights(spec: ContainerSpec, pod: ContainerSpec) -> ContainerSpec:
    """Return the spec with the pod's devices and security options below its own."""
    changes: dict[str, Any] = {}
    if pod.devices:
        taken = {device.container for device in spec.devices}
        changes["devices"] = [*(each for each in pod.devices if each.container not in taken), *spec.devices]
    for name in ("cdi_devices", "gpus"):
        if getattr(pod, name):
            changes[name] = [*dict.fromkeys([*getattr(pod, name), *getattr(spec, name)])]
    if pod.no_new_privileges:
        changes["no_new_privileges"] = True
    for name in _SECURITY:
        if not getattr(spec, name):
            changes[name] = getattr(pod, name)
    for name in _SECURITY_LISTS:
        if getattr(pod, name):
            changes[name] = [*dict.fromkeys([*getattr(pod, name), *getattr(spec, name)])]
    return spec.replace(**changes) if changes else spec
