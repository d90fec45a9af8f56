"""What a build is asked for: plain values, cheap to import."""

from __future__ import annotations

from podpy.image.registry.access import PullOptions
from podpy.record import Record
from podpy.spec.container import ContainerSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class BuildOptions(Record):
    """Options of a build.

    `files`: the Dockerfiles' paths, read one after the other; none: Containerfile or Dockerfile of the context.
    `names`: of the image, as given. `container`: what each RUN's container is like, but for its image, command,
    variables, directory and user. `created`: seconds since 1970 that are the image's time; None: now.
    `passes_created`: commands get it as SOURCE_DATE_EPOCH. `rewrite`: times of files in layers: "" (as they are),
    "all" (`created`), "later" (those after it become it).
    `base`: the image of the first FROM. `outputs`: where the result goes, in place of the store: type=TYPE,dest=PATH.
    `secrets`: where each id's content is, "env:NAME" or "file:PATH"; `agents`: each id's socket.
    `tells_digest`: the result says it. `squash`: "" (a layer for each step), "new" (one for the build's steps), "all"
    (one for everything).
    """

    context: str = ""
    files: list[str] = []
    ignore_file: str = ""
    names: list[str] = []
    arguments: dict[str, str] = {}
    target: str = ""
    base: str = ""
    pull: PullOptions = PullOptions(policy="missing")
    format: str = "oci"
    cache: bool = True
    explain: bool = False
    tells_digest: bool = False
    squash: str = ""
    skip_unused: bool = True
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    environment: dict[str, str] = {}
    unset: list[str] = []
    created: int | None = None
    passes_created: bool = False
    rewrite: str = ""
    outputs: list[str] = []
    contexts: dict[str, str] = {}
    secrets: dict[str, str] = {}
    agents: dict[str, str] = {}
    container: ContainerSpec = ContainerSpec()


class StepName(Record):
    """Which step of which stage is at work: "[1/2] STEP 2/3: RUN make". `stages` 1: the only one."""

    stage: int
    stages: int
    number: int
    total: int
    text: str
    file: str = ""
    line: int = 0


class Why(Record):
    """Whether a step was cached, and which of its inputs differ from its last time (`build --explain`)."""

    step: StepName
    cached: bool
    reasons: list[str] = []


class Report:
    """Is told what a build does; each method does nothing. The steps' methods are called in their order."""

    def begins(self, step: StepName) -> None:
        """A step begins."""

    def cached(self, image_id: str) -> None:
        """The step's image is in the cache."""

    def explained(self, why: Why) -> None:
        """Whether the step was cached, and why not."""

    def output(self, stream: int, data: bytes) -> None:
        """A command has written something: 1 is standard output, 2 standard error."""

    def made(self, image_id: str) -> None:
        """The step is done, and this image is its result."""

    def commits(self, stage: StepName, name: str) -> None:
        """The build's image is written, of a `stage`; `name`: as given first, or ""."""

    def tagged(self, name: str) -> None:
        """The image got this full name."""

    def unused(self, names: list[str]) -> None:
        """These build arguments were given and not used."""


class Told(Report):
    """Turns each call into a message to another process."""

    def __init__(self, tell: Callable[[object], None]) -> None:
        self._tell = tell

    def begins(self, step: StepName) -> None:
        self._tell(("begins", step))

    def cached(self, image_id: str) -> None:
        self._tell(("cached", image_id))

    def explained(self, why: Why) -> None:
        self._tell(("explained", why))

    def output(self, stream: int, data: bytes) -> None:
        self._tell(("output", stream, data))

    def made(self, image_id: str) -> None:
        self._tell(("made", image_id))

    def commits(self, stage: StepName, name: str) -> None:
        self._tell(("commits", stage, name))

    def tagged(self, name: str) -> None:
        self._tell(("tagged", name))

    def unused(self, names: list[str]) -> None:
        self._tell(("unused", names))


SILENT = Report()
