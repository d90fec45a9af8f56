"""The options of `kube play`."""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.create import PullOptions
    from podpy.spec.container import Attachment, PortMapping

SECCOMP_ROOT = "/var/lib/kubelet/seccomp"  # the kubelet's --seccomp-profile-root


class PlayOptions(Record):
    """The options of podman-kube-play(1), parsed."""

    start: bool = True
    replaces: bool = False  # first remove the pods and containers with the same names
    no_pod_prefix: bool = False  # a container's name has no pod's name in front
    multiple_pods: bool = False  # each replica of a Deployment is a pod

    network: str = ""  # a mode, or "bridge" with `networks`; "": the network of all of kube's pods
    networks: list[Attachment] = []
    ips: list[str] = []  # of the first pod, the second …
    macs: list[str] = []
    publish: list[PortMapping] = []
    publish_all: bool = False
    no_hosts: bool | None = None  # None: containers.conf's value
    no_hostname: bool = False

    service_name: str = ""  # of a container that runs as long as one of the pods does; "": there is none
    service_exit: str = "none"  # when that one fails: none, any, all

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    log_driver: str = ""
    log_options: dict[str, str] = {}
    log_labels: dict[str, str] = {}
    userns: str = ""
    seccomp_root: str = SECCOMP_ROOT
    pull: PullOptions | None = None

    context_dir: str = ""  # where directories with the names of images are; "": the caller's
    build: bool | None = None  # build these images; None: those that aren't in the store
