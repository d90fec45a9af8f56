"""The data of a document: libpod's containers and volumes, without the engine."""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.image.documents.config import ImageConfig
    from podpy.spec.container import ContainerSpec, PortMapping
    from podpy.storage.volumes.volume import Volume


class Source(Record):
    """One container. `spec` is completed; `ports` have the host's ports if they are known.

    `usual`: the spec that containers.conf alone gives a container on such a network; its values are omitted.
    """

    id: str
    name: str
    spec: ContainerSpec
    image_name: str
    image: ImageConfig
    ports: list[PortMapping] = []
    volumes: dict[str, Volume] = {}  # the volumes that it mounts, by name
    ids: tuple[int, int] | None = None  # of the user inside, if the container names one
    usual: ContainerSpec

    @property
    def own_hostname(self) -> str:
        """The host name that the user set; empty if it is the default one, made of the id."""
        name = self.spec.hostname
        return "" if name in (self.id[:12], self.usual.hostname) else name


class Group(Record):
    """The containers of one pod, oldest first. `infra`: the container whose namespaces they share."""

    name: str
    members: list[Source]
    is_pod: bool = False  # a pod of podpy's; else containers outside pods
    labels: dict[str, str] = {}
    infra: Source | None = None
    infra_name: str = ""  # if it isn't the default name
    share: list[str] = []
    restart_policy: str = ""


class Options(Record):
    """The options of `kube generate`. `for_service`: with a Service, so ports aren't the host's."""

    kind: str = ""  # pod, deployment, daemonset, job; "": containers.conf's value
    replicas: int = 1
    for_service: bool = False
    podman_only: bool = False
