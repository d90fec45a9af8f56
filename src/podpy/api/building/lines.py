"""What a build tells → lines of JSON: {"stream": TEXT}, {"aux": {"ID": …}}, {"errorDetail": …}."""

from __future__ import annotations

from codecs import getincrementaldecoder

from podpy import fastjson
from podpy.api.compat.images.names import familiar
from podpy.build.options import Report
from podpy.errors import StepFailedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.connection import Connection
    from podpy.build.build import Built
    from podpy.build.options import StepName

_SHORT = 12
_RED, _PLAIN = "\x1b[91m", "\x1b[0m"


class Lines(Report):
    """Podman's words. The answer begins with the first line: an error before it has a status of its own."""

    END = "\n"

    def __init__(self, connection: Connection, *, quiet: bool) -> None:
        self._connection = connection
        self._quiet = quiet
        self._step: StepName | None = None
        self._decoders = {stream: getincrementaldecoder("utf-8")("replace") for stream in (1, 2)}

    def _line(self, value: dict[str, Any]) -> None:
        if not self._connection.is_begun:
            self._connection.begin(200, [("Content-Type", "application/json")])
        self._connection.write((fastjson.dumps(value) + self.END).encode("utf-8", "surrogateescape"))

    def say(self, text: str) -> None:
        """Tell a text, unless the client wants quiet."""
        for stream, decoder in self._decoders.items():
            self._say_output(stream, decoder.decode(b"", final=True))
        if not self._quiet:
            self._line({"stream": text})

    def _say_output(self, stream: int, text: str) -> None:
        if text and not self._quiet:
            self._line({"stream": self.shown(stream, text)})

    def of_stage(self, stage: int, stages: int) -> Report:
        return self

    def begins(self, step: StepName) -> None:
        self._step = step
        self.say(f"{prefix(step)}STEP {step.number}/{step.total}: {step.text}\n")

    def cached(self, image_id: str) -> None:
        self.say(f"--> Using cache {image_id}\n")

    def made(self, image_id: str) -> None:
        self.say(f"--> {image_id[:_SHORT]}\n")

    def output(self, stream: int, data: bytes) -> None:
        """Tell what a command writes; a character may come in two pieces."""
        self._say_output(stream, self._decoders[stream].decode(data))

    def shown(self, stream: int, text: str) -> str:
        """Return a command's output as the client is to show it."""
        return text

    def commits(self, stage: StepName, name: str) -> None:
        self.say(f"{prefix(stage)}COMMIT {name}".rstrip() + "\n")

    def tagged(self, name: str) -> None:
        self.say(f"Successfully tagged {name}\n")

    def unused(self, names: list[str]) -> None:
        self.say(f"[Warning] one or more build args were not consumed: [{' '.join(names)}]\n")

    def end(self, built: Built) -> None:
        """Tell the result, and end the answer."""
        self._line({"stream": f"{built.image_id}\n"})
        self._connection.end()

    def fail(self, message: str, code: int = 0) -> None:
        """Tell an error, and end the answer."""
        detail = {"code": code, "message": message} if code else {"message": message}
        self._line({"errorDetail": detail, "error": message})
        self._connection.end()

    def told(self, error: StepFailedError) -> str:
        """Return the text of a command's failure."""
        return error.message


class DockerLines(Lines):
    """The words of Docker's classic builder."""

    END = "\r\n"

    def __init__(self, connection: Connection, *, quiet: bool) -> None:
        super().__init__(connection, quiet=quiet)
        self._tags: list[str] = []

    def begins(self, step: StepName) -> None:
        self._step = step
        self.say(f"{prefix(step)}Step {step.number}/{step.total} : {step.text}\n")

    def cached(self, image_id: str) -> None:
        self.say(" ---> Using cache\n")

    def made(self, image_id: str) -> None:
        self.say(f" ---> {image_id[:_SHORT]}\n")

    def shown(self, stream: int, text: str) -> str:
        return text if stream == 1 else f"{_RED}{text}{_PLAIN}"

    def commits(self, stage: StepName, name: str) -> None:
        """Docker has no such line."""

    def tagged(self, name: str) -> None:
        self._tags.append(familiar(name))

    def unused(self, names: list[str]) -> None:
        self.say(f"[Warning] One or more build-args [{' '.join(names)}] were not consumed\n")

    def end(self, built: Built) -> None:
        if self._quiet:
            self._line({"stream": f"sha256:{built.image_id}\n"})
        else:
            self._line({"aux": {"ID": f"sha256:{built.image_id}"}})
            self.say(f"Successfully built {built.image_id[:_SHORT]}\n")
        for name in self._tags:
            self.say(f"Successfully tagged {name}\n")
        self._connection.end()

    def told(self, error: StepFailedError) -> str:
        command = command_of(self._step.text) if self._step is not None else ""
        return f"The command '{command}' returned a non-zero code: {error.exit_code}" if command else error.message


def prefix(step: StepName) -> str:
    """Return which of several stages a step belongs to, for the beginning of a line."""
    return f"[{step.stage}/{step.stages}] " if step.stages > 1 else ""


def command_of(text: str) -> str:
    """Return the command that a RUN's text runs, "" for another instruction's."""
    name, _, rest = text.partition(" ")
    if name.upper() != "RUN":
        return ""
    while rest.startswith("--"):
        rest = rest.partition(" ")[2].lstrip()
    try:
        words = fastjson.loads(rest)
    except ValueError:
        words = None
    return " ".join(map(str, words)) if isinstance(words, list) else f"/bin/sh -c {rest}"
