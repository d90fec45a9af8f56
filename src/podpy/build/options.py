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
    `cache_from`, `cache_to`: repositories that have, and get, the images of steps; `cache_ttl`: how old a cached step
    may be, in nanoseconds; 0: as old as it is. `tells_digest`: the result says it.
    `squash`: "" (a layer for each step), "new" (one for the build's steps), "all" (one for everything). `jobs`: how
    many stages are at work at a time; 0: any number.
    `platforms`: several, each os/arch[/variant]; `all_platforms`: all that the bases have; `manifest`: the list that
    gets the images (podpy.build.platforms). `dockerfile`: what `-` of `files` has, if it was read before.
    `cpp_flags`: for cpp(1), which reads files that end with `.in`.
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
    cache_from: list[str] = []
    cache_to: list[str] = []
    cache_ttl: int = 0
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
    jobs: int = 1
    platforms: list[str] = []
    all_platforms: bool = False
    manifest: str = ""
    dockerfile: bytes = b""
    cpp_flags: list[str] = []


class StepName(Record):
    """Which step of which stage is at work: "[1/2] STEP 2/3: RUN make". `stages` 1: the only one.

    `stage_name`: what the file calls the stage.
    """

    stage: int
    stages: int
    number: int
    total: int
    text: str
    file: str = ""
    line: int = 0
    stage_name: str = ""


class Why(Record):
    """Whether a step was cached, and which of its inputs differ from its last time (`build --explain`)."""

    step: StepName
    cached: bool
    reasons: list[str] = []


class Report:
    """Is told what a build does; each method does nothing. The steps' methods are called in their order.

    A step `begins`; it is `cached`, or has `output`; it `made` an image; it `ends`. `commits` begins one, too.
    What a protocol or a view needs of this, as values: podpy.build.events.
    """

    def of_stage(self, stage: int, stages: int) -> Report:
        """Return what is told of one stage, if several are at work at the same time; the same one each time."""
        return self

    def of_platform(self, platform: str) -> Report:
        """Return what is told of the image for one platform, if several are built."""
        return self

    def begins(self, step: StepName) -> None:
        """A step begins."""

    def cached(self, image_id: str) -> None:
        """The step's image is in the cache."""

    def explained(self, why: Why) -> None:
        """Whether the step was cached, and why not."""

    def output(self, stream: int, data: bytes) -> None:
        """A command has written something: 1 is standard output, 2 standard error."""

    def fetched(self, name: str) -> None:
        """The next step's image came from a registry, by this name."""

    def sent(self, name: str) -> None:
        """A step's image goes to a registry, by this name."""

    def made(self, image_id: str) -> None:
        """The step is done, and this image is its result."""

    def failed(self) -> None:
        """The step's command has failed."""

    def ends(self, error: str = "") -> None:
        """The step that began last is over, if one is at work; `error`: why it failed."""

    def commits(self, stage: StepName, name: str) -> None:
        """The build's image is written, of a `stage`; `name`: as given first, or ""."""

    def tagged(self, name: str) -> None:
        """The image got this full name."""

    def unused(self, names: list[str]) -> None:
        """These build arguments were given and not used."""


class Told(Report):
    """Turns each call into a message to another process, where `hear` takes it. `stage`: the one that is told of."""

    def __init__(self, tell: Callable[[object], None], stage: tuple[int, int] | None = None) -> None:
        self._tell = tell
        self._stage = stage

    def _say(self, name: str, *values: object) -> None:
        self._tell((self._stage, name, values))

    def of_stage(self, stage: int, stages: int) -> Report:
        return Told(self._tell, (stage, stages))

    def begins(self, step: StepName) -> None:
        self._say("begins", step)

    def cached(self, image_id: str) -> None:
        self._say("cached", image_id)

    def explained(self, why: Why) -> None:
        self._say("explained", why)

    def output(self, stream: int, data: bytes) -> None:
        self._say("output", stream, data)

    def fetched(self, name: str) -> None:
        self._say("fetched", name)

    def sent(self, name: str) -> None:
        self._say("sent", name)

    def made(self, image_id: str) -> None:
        self._say("made", image_id)

    def failed(self) -> None:
        self._say("failed")

    def ends(self, error: str = "") -> None:
        self._say("ends", error)

    def commits(self, stage: StepName, name: str) -> None:
        self._say("commits", stage, name)

    def tagged(self, name: str) -> None:
        self._say("tagged", name)

    def unused(self, names: list[str]) -> None:
        self._say("unused", names)


def hear(report: Report, message: object) -> None:
    """Give a message of a Told to a report."""
    assert isinstance(message, tuple)
    stage, name, values = message
    target = report.of_stage(*stage) if stage else report
    getattr(target, name)(*values)


SILENT = Report()
