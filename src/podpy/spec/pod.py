"""PodSpec: what a pod was asked to be: `pod create`, `kube play`, or a library's caller.

A pod is containers that share namespaces. Its infra container owns these: `container` says what that one is made of
(network, ports, names, user namespace, sysctls), and mounts, devices and security options of it are every member's,
too. A member's spec says `pod`.
"""

from __future__ import annotations

from podpy.record import Record
from podpy.spec.container import AS_CONFIGURED, ContainerSpec, Resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SHARED = ("uts", "ipc", "net")
"""The namespaces that are shared unless `share` says others, in the order that `inspect` has."""
KINDS = {"net": "network", "ipc": "ipc", "uts": "uts", "pid": "pid", "user": "userns", "cgroup": "cgroupns"}
"""What `share` may name → the field of ContainerSpec that joins that namespace."""
CONTINUE = "continue"
STOP = "stop"
EXIT_POLICIES = (CONTINUE, STOP)
"""What becomes of the infra container when the last of the others has ended."""


class PodSpec(Record):
    """Everything that was asked of a pod."""

    version: int = 1  # of this form

    name: str = ""  # "": one is invented
    hostname: str = ""  # "": the pod's name
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}  # given to the infra container
    create_command: list[str] = []
    pod_id_file: str = ""

    # What is shared: of net, ipc, uts, pid, user, cgroup
    share: list[str] = list(SHARED)
    share_parent: bool = True  # the members' cgroups are below the pod's
    container: ContainerSpec = ContainerSpec()
    """What the infra container is made of: network, networks, ports, dns, hosts, userns, sysctls; its mounts,
    volumes_from, devices and security options are every member's."""
    shm_size: int = AS_CONFIGURED

    # The infra container
    infra: bool = True
    infra_name: str = ""  # "": the beginning of the pod's id, and -infra
    infra_image: str = ""  # "": none; podpy's own program runs
    infra_command: list[str] = []
    infra_conmon_pidfile: str = ""

    # Life
    exit_policy: str = AS_CONFIGURED  # one of EXIT_POLICIES
    restart_policy: str = ""  # of members that say none
    restart_retries: int = 0
    requires: list[str] = []  # containers that are started before
    sidecars: list[str] = []  # members, by name, that don't keep the pod alive: they are stopped after the others' end

    # Limits of all members together
    cgroup_parent: str = ""
    resources: Resources = Resources()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PodSpec:
        """Return the spec whose `as_dict()` this is. Fields that this version doesn't know are left out."""
        known: dict[str, Any] = {name: values[name] for name in cls._fields if name in values}
        if "container" in known:
            known["container"] = ContainerSpec.from_dict(known["container"])
        if "resources" in known:
            known["resources"] = Resources(**known["resources"])
        return cls(**known)
