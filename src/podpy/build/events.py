"""What a build does, as events of steps: of this the live view, `--progress=rawjson` and other protocols are made.

A build tells a `Report` (options.py), call by call. `Events` is the report that turns those calls into values that
stand alone: a `Vertex` each time that a step's state changes, a `Log` for what its command writes, a `Warned`. Their
fields are those of BuildKit's SolveStatus (client/graph.go of moby/buildkit), so `status` is its JSON.
"""

from __future__ import annotations

from time import time_ns

from podpy.build.options import Report, StepName, Why
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

STDERR = 2


class Vertex(Record):
    """A step's state: begun, and, with `completed`, over. `digest` names it in this build; `inputs`: the step before.

    Times are nanoseconds since 1970; 0: not yet. `error`: why it failed.
    """

    digest: str
    name: str
    inputs: list[str] = []
    started: int = 0
    completed: int = 0
    cached: bool = False
    error: str = ""


class Log(Record):
    """What a step's command has written; `stream` 1 is standard output, 2 standard error. `vertex`: a digest."""

    vertex: str
    stream: int
    data: bytes
    timestamp: int


class Warned(Record):
    """Something that is no error."""

    text: str


if TYPE_CHECKING:
    Event: TypeAlias = Vertex | Log | Warned


class Events(Report):
    """Gives events to `hear`, in their order. Several stages at work have a step each at a time."""

    def __init__(self, hear: Callable[[Event], object], clock: Callable[[], int] = time_ns) -> None:
        self._hear = hear
        self._clock = clock
        self._working: Vertex | None = None
        self._last: dict[int, str] = {}  # each stage's newest step
        self._of_stages: dict[int, Events] = {}
        self._platform = ""

    def of_platform(self, platform: str) -> Report:
        found = Events(self._hear, self._clock)
        found._platform = platform
        return found

    def of_stage(self, stage: int, stages: int) -> Report:
        if stage not in self._of_stages:
            own = Events(self._hear, self._clock)
            own._platform = self._platform
            self._of_stages[stage] = own
        return self._of_stages[stage]

    def begins(self, step: StepName) -> None:
        self._begin(digest_of(step, self._platform), _told(step, self._platform), step.stage)

    def commits(self, stage: StepName, name: str) -> None:
        self._begin(digest_of(stage, self._platform), "exporting to image", stage.stage)

    def begin(self, name: str) -> None:
        """Begin what is no step of a stage, such as the transfer of the context; `ends` ends it."""
        self.ends()
        self._working = Vertex(digest=_digest(name), name=name, started=self._clock())
        self._hear(self._working)

    def _begin(self, digest: str, name: str, stage: int) -> None:
        self.ends()
        inputs = [self._last[stage]] if stage in self._last else []
        self._last[stage] = digest
        self._working = Vertex(digest=digest, name=name, inputs=inputs, started=self._clock())
        self._hear(self._working)

    def cached(self, image_id: str) -> None:
        if self._working is not None:
            self._working = self._working.replace(cached=True)

    def ends(self, error: str = "") -> None:
        if self._working is not None:
            done, self._working = self._working, None
            self._hear(done.replace(completed=self._clock(), error=error))

    def output(self, stream: int, data: bytes) -> None:
        if self._working is not None:
            self._hear(Log(vertex=self._working.digest, stream=stream, data=data, timestamp=self._clock()))

    def explained(self, why: Why) -> None:
        if not why.cached:
            self.output(STDERR, f"not cached: {'; '.join(why.reasons)}\n".encode("utf-8", "surrogateescape"))

    def fetched(self, name: str) -> None:
        self.output(STDERR, f"cache from {name}\n".encode("utf-8", "surrogateescape"))

    def sent(self, name: str) -> None:
        self._at_once(f"exporting cache to {name}")

    def tagged(self, name: str) -> None:
        self._at_once(f"naming to {name}")

    def _at_once(self, name: str) -> None:
        now = self._clock()
        self._hear(Vertex(digest=_digest(name), name=name, started=now, completed=now))

    def unused(self, names: list[str]) -> None:
        self._hear(Warned(text=f"one or more build args were not consumed: [{' '.join(names)}]"))


def digest_of(step: StepName, platform: str = "") -> str:
    """Return what names a step in its build. `platform`: the one of several that it is built for."""
    name = f"{step.stage}\0{step.number}\0{step.text}"
    return _digest(f"{name}\0{platform}" if platform else name)


def _digest(text: str) -> str:
    from hashlib import sha256

    return f"sha256:{sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()}"


def _told(step: StepName, platform: str) -> str:
    """Return a step's name as BuildKit shows it: "[2/3] RUN make", "[build 2/3] RUN make" of several stages."""
    stage = f"{platform} " if platform else ""
    stage += f"{step.stage_name or f'stage-{step.stage - 1}'} " if step.stages > 1 else ""
    return f"[{stage}{step.number}/{step.total}] {step.text}"


def status(event: Event) -> dict[str, Any]:
    """Return an event as BuildKit's JSON has it: a SolveStatus. What is empty is left out; bytes are base64."""
    from base64 import b64encode

    from podpy.times import rfc3339

    if isinstance(event, Log):
        data = b64encode(event.data).decode()
        when = rfc3339(event.timestamp, utc=True)
        return {"logs": [{"vertex": event.vertex, "stream": event.stream, "data": data, "timestamp": when}]}
    if isinstance(event, Warned):
        return {"warnings": [{"level": 1, "short": b64encode(event.text.encode("utf-8", "surrogateescape")).decode()}]}
    fields = event.as_dict()
    for name in ("started", "completed"):
        fields[name] = rfc3339(fields[name], utc=True) if fields[name] else ""
    # Names may hold bytes that are no text; JSON must be.
    fields["name"] = event.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return {"vertexes": [{name: value for name, value in fields.items() if value}]}
