"""What `podpy build` prints: Podman's lines."""

from __future__ import annotations

import os

from podpy.build.options import Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.build.options import StepName, Why

_SHORT = 12
_MOST_HIDDEN = 16 << 10
_LINES = 20
_LONGEST_LINE = 1 << 16


class Lines(Report):
    """Lines to the descriptor `out`, what commands write on standard error to `err`. `own`: `close` closes them.

    `quiet`: only the id, and what commands write on standard error.
    """

    platform = ""  # what each line begins with, if images for several platforms are built

    def __init__(self, out: int, err: int, *, quiet: bool, own: bool = False) -> None:
        self._out = out
        self._err = err
        self._quiet = quiet
        self._own = own
        self._hidden = b""  # the end of what the step at work has written and nobody has seen
        self._of_stages: dict[int, Lines] = {}

    def of_stage(self, stage: int, stages: int) -> Report:
        if stage not in self._of_stages:
            lines = _StageLines(self._out, self._err, quiet=self._quiet, own=self._own)
            lines.own_prefix = _prefix(stage, stages)
            lines.platform = self.platform
            self._of_stages[stage] = lines
        return self._of_stages[stage]

    def of_platform(self, platform: str) -> Report:
        lines = _StageLines(self._out, self._err, quiet=self._quiet, own=self._own)
        lines.platform = f"[{platform}] "
        return lines

    def _say(self, text: str) -> None:
        if not self._quiet:
            self._write(self._out, f"{text}\n".encode("utf-8", "surrogateescape"))

    def _write(self, descriptor: int, data: bytes) -> None:
        while data:
            data = data[os.write(descriptor, data) :]

    def begins(self, step: StepName) -> None:
        self._hidden = b""
        self._say(f"{_prefix(step.stage, step.stages)}STEP {step.number}/{step.total}: {step.text}")

    def cached(self, image_id: str) -> None:
        self._say(f"--> Using cache {image_id}")

    def explained(self, why: Why) -> None:
        self._say("--> cached" if why.cached else f"--> not cached: {'; '.join(why.reasons)}")

    def output(self, stream: int, data: bytes) -> None:
        if stream == 1 and self._quiet:
            self._hidden = (self._hidden + data)[-_MOST_HIDDEN:]
            return
        if self._own:
            self._hidden = (self._hidden + data)[-_MOST_HIDDEN:]
        self._write(self._out if stream == 1 else self._err, data)

    def fetched(self, name: str) -> None:
        self._say(f"--> Cache pulled from remote {name}")

    def sent(self, name: str) -> None:
        self._say(f"--> Pushing cache {name}")

    def made(self, image_id: str) -> None:
        self._say(f"--> {image_id[:_SHORT]}")

    def commits(self, stage: StepName, name: str) -> None:
        self._say(f"{_prefix(stage.stage, stage.stages)}COMMIT {name}".rstrip())

    def tagged(self, name: str) -> None:
        self._say(f"Successfully tagged {name}")

    def unused(self, names: list[str]) -> None:
        told = f"[Warning] one or more build args were not consumed: [{' '.join(names)}]\n"
        self._write(self._err, told.encode("utf-8", "surrogateescape"))

    def failed(self) -> None:
        """Show the last lines of the step, if they were kept quiet or went to a file."""
        lines = self._hidden.splitlines(keepends=True)[-_LINES:]
        self._write(2, b"".join(lines))

    def end(self, image_id: str) -> None:
        """Print the image's id."""
        self._write(self._out, f"{image_id}\n".encode())

    def close(self) -> None:
        """Close what is open."""
        if self._own:
            os.close(self._out)


class _StageLines(Lines):
    """Lines of one stage, or one platform, among others: each begins with its name, and what commands write comes in
    whole lines.
    """

    own_prefix = ""

    def __init__(self, out: int, err: int, *, quiet: bool, own: bool) -> None:
        super().__init__(out, err, quiet=quiet, own=own)
        self._begun: dict[int, bytes] = {}  # lines whose end hasn't come, by descriptor

    def _say(self, text: str) -> None:
        self._end_lines()
        super()._say(text)

    def failed(self) -> None:
        super().failed()
        self._end_lines()

    def _end_lines(self) -> None:
        for descriptor in [one for one, line in self._begun.items() if line]:
            self._write(descriptor, b"\n")

    def _write(self, descriptor: int, data: bytes) -> None:
        *lines, rest = (self._begun.get(descriptor, b"") + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        self._begun[descriptor] = rest
        platform, own = self.platform.encode(), self.own_prefix.encode()
        whole = [platform + (line if line.startswith(own) else own + line) + b"\n" for line in lines]
        super()._write(descriptor, b"".join(whole))


def _prefix(stage: int, stages: int) -> str:
    return f"[{stage}/{stages}] " if stages > 1 else ""
