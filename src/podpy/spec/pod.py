"""PodSpec: what `pod create`, `kube play` or a library's caller asks a pod to be.

A pod is a group of containers that share namespaces, which its infra container owns. `container` is the infra
container's spec (network, ports, names, user namespace, sysctls); every member gets its mounts, devices and security
options, too. A member's spec names its pod in `pod`.
"""

from __future__ import annotations

from podpy.record import Record
from podpy.spec.container import AS_CONFIGURED, ContainerSpec, Resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SHARED = ("uts", "ipc", "net")
"""The namespaces that a pod shares by default, in the order of `inspect`."""
KINDS = {"net": "network", "ipc": "ipc", "uts": "uts", "pid": "pid", "user": "userns", "cgroup": "cgroupns"}
"""A name in `share` → the field of ContainerSpec that joins that namespace."""
CONTINUE = "continue"
STOP = "stop"
EXIT_POLICIES = (CONTINUE, STOP)
"""Whether the infra container continues or stops after the last other container has ended."""
NONE, ANY, ALL = EXIT_CODES = ("none", "any", "all")
"""When the service container of pods fails: never, if one of their containers has, or if all have."""


class PodSpec(Record):
    """Everything that was asked of a pod."""

    version: int = 1  # of this format

    name: str = ""  # "": podpy invents one
    hostname: str = ""  # "": the pod's name
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}  # given to the infra container
    create_command: list[str] = []
    pod_id_file: str = ""

    # What is shared: of net, ipc, uts, pid, user, cgroup
    share: list[str] = list(SHARED)
    share_parent: bool = True  # the members' cgroups are below the pod's
    container: ContainerSpec = ContainerSpec()
    """The infra container's spec: network, networks, ports, dns, hosts, userns, sysctls. Every member gets its mounts,
    volumes_from, devices and security options."""
    shm_size: int = AS_CONFIGURED

    # The infra container
    infra: bool = True
    infra_name: str = ""  # "": the start of the pod's id, then -infra
    infra_image: str = ""  # "": none; podpy's pause program runs
    infra_command: list[str] = []
    infra_conmon_pidfile: str = ""

    # Life
    exit_policy: str = AS_CONFIGURED  # one of EXIT_POLICIES
    restart_policy: str = ""  # of members that set none
    restart_retries: int = 0
    requires: list[str] = []  # containers to start first
    sidecars: list[str] = []  # names of members that don't keep the pod alive: podpy stops them after the others' end

    service: str = (
        ""  # the id of the container that runs as long as one of its pods does (`kube play --service-container`)
    )
    configmaps: dict[
        str, Any
    ] = {}  # Kubernetes' ConfigMaps that the members name, by name: data, binaryData, immutable

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
