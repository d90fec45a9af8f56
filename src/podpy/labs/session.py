"""One run of a lab: its commands, in order, and the removal of what they made."""

from __future__ import annotations

import os
import re
import shutil
import tempfile

from podpy import fastjson, process
from podpy.errors import RuntimeFailedError
from podpy.labs import image
from podpy.libpod.system.called_as import script_directory
from podpy.process import SEARCH_PATH
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from podpy.labs.reading import Lab, Step
    from podpy.libpod.runtime import Runtime
    from podpy.process import Finished

_LOCALE = "C.UTF-8"  # what the texts say of the output is said of this one's


class Outcome(Record):
    """What a step came to. `output`: what the command wrote. `as_said`: it was what the text claims."""

    output: str
    as_said: bool


class Session:
    """A lab that is being done: a context, at whose end nothing of it is left.

    with Session(runtime, lab) as session:
        for step in lab.steps:
            reason = session.hindrance(step)
            outcome = None if reason else session.run(step)
    """

    def __init__(self, runtime: Runtime, lab: Lab) -> None:
        """`runtime`: its store and global options are those of the lab's commands, too. Raises OSError."""
        self._lab = lab
        commands = script_directory(runtime, "labs", "podpy")
        self._environment = {**runtime.caller.environ, "LC_ALL": _LOCALE, "PATH": f"{commands}:{SEARCH_PATH}"}
        self._failing: dict[str, str] | None = None
        self._directory = ""

    def __enter__(self) -> Self:
        """Make the image and a directory for the commands. Raises RuntimeFailedError with the build's text, OSError."""
        self._directory = tempfile.mkdtemp(prefix="podpy-lab-")
        try:
            self._clean()  # what a lab left that was killed
            self._make_image()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what the steps made."""
        self._leave()

    def hindrance(self, step: Step) -> str:
        """Return why this machine can't do this step, with what mends that; an empty text if it can."""
        absent = image.missing(step.needs)
        if absent:
            return f"{', '.join(absent)}: not on this machine"
        check = step.check or self._lab.check
        return self._failing_checks().get(check, "") if check else ""

    def run(self, step: Step) -> Outcome:
        """Run the step's command to its end. Raises RuntimeFailedError if it takes more than two minutes, OSError."""
        finished = self._shell(step.command)
        output = finished.stdout.decode(errors="replace")
        said = re.search(step.expect, output, re.MULTILINE) is not None
        return Outcome(output=output, as_said=said and finished.code == step.code)

    def _shell(self, command: str) -> Finished:
        script = f"exec 2>&1\ncd {self._directory}\n{command}"
        return process.run(["/bin/sh", "-c", script], environment=self._environment)

    def _make_image(self) -> None:
        context = os.path.join(self._directory, "image")
        os.mkdir(context)
        image.write_context(context)
        made = self._shell(f"podpy build --quiet --tag {image.NAME} image")
        if made.code:
            raise RuntimeFailedError(f"the labs' image can't be made: {made.stdout.decode(errors='replace').strip()}")
        shutil.rmtree(context)

    def _failing_checks(self) -> dict[str, str]:
        """Return the failing checks of `podpy system doctor`: their names → the cause, and what mends it."""
        if self._failing is None:
            said = self._shell("podpy system doctor --json").stdout
            checks = [check for check in fastjson.loads(said) if not check["ok"]]
            self._failing = {check["name"]: "\n".join((check["cause"], check["mend"])).strip() for check in checks}
        return self._failing

    def _leave(self) -> None:
        try:
            self._clean()
        finally:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _clean(self) -> None:
        for command in self._lab.clean:
            self._shell(command)
