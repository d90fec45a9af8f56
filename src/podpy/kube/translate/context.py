"""The facts that the translation of a pod needs besides its YAML."""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.kube.options import PlayOptions
    from podpy.kube.translate.references import References


class Node(Record):
    """Facts of this machine that a pod may ask for: its name, bytes of memory, and cores."""

    name: str = "localhost"
    memory: int = 0
    cpus: int = 1


class Context(Record):
    """A pod's surroundings."""

    references: References
    options: PlayOptions
    node: Node = Node()
    pod_name: str = ""
    namespace: str = "default"
    pod_id: str = ""  # empty until the pod is created
    infra_id: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}  # those of the file and the options
    names: list[str] = []  # additional names by which other pods find it
    retries: int | None = None  # of a Job: how often a failed container is restarted; None: it isn't a Job's
    deadline: int = 0  # seconds that the pod may run; 0: any time
    volumes: dict[str, str] = {}  # the pod's volume → podpy's volume, once it is created
