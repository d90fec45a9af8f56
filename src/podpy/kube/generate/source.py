"""What a document is made of: containers and volumes as libpod has them, without the engine. Pure data."""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.image.documents.config import ImageConfig
    from podpy.spec.container import ContainerSpec, PortMapping
    from podpy.storage.volumes.volume import Volume


class Source(Record):
    """One container. `spec` is the completed one; `ports` have the host's ports where they are known.

    `usual`: what containers.conf alone makes of a container on such a network. That isn't repeated.
    """

    id: str
    name: str
    spec: ContainerSpec
    image_name: str
    image: ImageConfig
    ports: list[PortMapping] = []
    volumes: dict[str, Volume] = {}  # those that it mounts, by name
    ids: tuple[int, int] | None = None  # of the user inside, where the container names one
    usual: ContainerSpec

    @property
    def own_hostname(self) -> str:
        """The host name that was asked for; empty if there is only the one made of the id."""
        name = self.spec.hostname
        return "" if name in (self.id[:12], self.usual.hostname) else name


class Group(Record):
    """The containers of one pod, oldest first. `infra`: the one whose namespaces they share."""

    name: str
    members: list[Source]
    is_pod: bool = False  # a pod of podpy's; else containers that become one
    labels: dict[str, str] = {}
    infra: Source | None = None
    infra_name: str = ""  # if it isn't the usual one
    share: list[str] = []
    restart_policy: str = ""


class Options(Record):
    """What is asked for. `for_service`: a Service comes with it, so ports aren't the host's."""

    kind: str = ""  # pod, deployment, daemonset, job; "": as containers.conf says
    replicas: int = 1
    for_service: bool = False
    podman_only: bool = False
