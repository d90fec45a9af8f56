"""What a failed test's report says of its containers."""

from __future__ import annotations

import pytest

from podpy.errors import PodpyError
from podpy.libpod.io.log_lines import LogOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from podpy.libpod.containers.container import Container
    from podpy.library.runtime import Runtime
    from podpy.testing.leftovers import Session

_LINES = 40


class Reporter:
    """Adds a section for each container to the reports of failures, before the fixtures remove them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        report = yield
        if report.failed and call.when != "teardown":
            for container in self._session.containers:
                report.sections.append((f"podpy: container {container.name}", text(self._session.runtime, container)))
        return report


def text(runtime: Runtime, container: Container) -> str:
    """Return a container's state, why it ended, and the last lines of its log; never raises."""
    parts = []
    try:
        answer = runtime.why(container.id)
        parts += [answer.about, *(f"  {reason}" for reason in answer.reasons), *(f"  {mend}" for mend in answer.mends)]
    except PodpyError as error:
        parts.append(str(error))
    try:
        lines = [line.text.decode(errors="replace") for line in container.logs(LogOptions(tail=_LINES))]
        parts += [f"the last lines of its output (podpy logs {container.name}):", *lines] if lines else ["no output"]
    except PodpyError as error:
        parts.append(str(error))
    return "\n".join(parts)
