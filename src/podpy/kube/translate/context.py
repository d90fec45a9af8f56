"""What the translation of a pod may look at besides its YAML."""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.kube.options import PlayOptions
    from podpy.kube.translate.references import References


class Node(Record):
    """This machine, as a pod may ask for it: its name, bytes of memory, and cores."""

    name: str = "localhost"
    memory: int = 0
    cpus: int = 1


class Context(Record):
    """A pod's surroundings."""

    references: References
    options: PlayOptions
    node: Node = Node()
    pod_name: str = ""
    pod_id: str = ""  # empty until the pod is made
    infra_id: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}  # all that the file and the options say
    names: list[str] = []  # by which other pods find it, besides its own and its containers'
    volumes: dict[str, str] = {}  # the pod's volume → the name of podpy's, once it is made
