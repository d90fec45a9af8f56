"""What `kube play` is asked for besides its files."""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.create import PullOptions
    from podpy.spec.container import Attachment, PortMapping

SECCOMP_ROOT = "/var/lib/kubelet/seccomp"  # the kubelet's --seccomp-profile-root


class PlayOptions(Record):
    """The options of podman-kube-play(1), read."""

    start: bool = True
    replaces: bool = False  # what has the pods' names is removed first
    no_pod_prefix: bool = False  # a container's name is its own, without the pod's in front
    multiple_pods: bool = False  # a Deployment's replicas are as many pods

    network: str = ""  # a mode, or "bridge" with `networks`; "": the network that all of kube's pods share
    networks: list[Attachment] = []
    ips: list[str] = []  # of the first pod, the second …
    macs: list[str] = []
    publish: list[PortMapping] = []
    publish_all: bool = False
    no_hosts: bool | None = None  # None: as containers.conf says
    no_hostname: bool = False

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    log_driver: str = ""
    log_options: dict[str, str] = {}
    log_labels: dict[str, str] = {}
    userns: str = ""
    seccomp_root: str = SECCOMP_ROOT
    pull: PullOptions | None = None
