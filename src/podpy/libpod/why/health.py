"""What a container's health checks and hooks say about it."""

from __future__ import annotations

from podpy.libpod.containers import health
from podpy.libpod.why.answer import when
from podpy.libpod.why.codes import meaning
from podpy.monitor.files import HOOK, READINESS
from podpy.times import nanoseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held

_LAST_LINES = 5
_ENDS_IT = "postStart"


def tell(container: Held, facts: dict[str, Any], reasons: list[str], quoted: list[str], mends: list[str]) -> None:
    """Add what is known of the container's health, its readiness and its hooks."""
    for of, fact, text in (("", "health", "Its health is {}"), (READINESS, "readiness", "It is {}")):
        found = health.results(container.engine, container.id, of)
        if found["Status"]:
            facts[fact] = found
            reasons.append(f"{text.format(found['Status'])}{_failing(found['FailingStreak'])}.")
            _tell_last(found, "The last check", reasons, quoted)
        if found["Status"] == health.UNHEALTHY:
            mends.append(f"podpy healthcheck run {container.name}")
    found = health.results(container.engine, container.id, HOOK)
    if found["Status"] and found["FailingStreak"]:
        facts["hook"] = found
        after = ", so it was ended" if found["Status"] == _ENDS_IT else ""
        reasons.append(f"Its hook {found['Status']} failed{after}.")
        _tell_last(found, "The hook", reasons, quoted)


def _failing(streak: int) -> str:
    return f": the last {f'{streak} checks' if streak > 1 else 'check'} failed" if streak else ""


def _tell_last(found: dict[str, Any], what: str, reasons: list[str], quoted: list[str]) -> None:
    for last in (found["Log"] or [])[-1:]:
        reasons.append(f"{what} began {when(nanoseconds(last['Start']))}, and {_outcome(last)}.")
        quoted += last["Output"].splitlines()[-_LAST_LINES:]


def _outcome(check: dict[str, Any]) -> str:
    """Return how a check ended, from Podman's log of checks."""
    code = check["ExitCode"]
    if code < 0:
        return "took longer than its timeout"
    return f"ended with exit code {code}{f': {meaning(code)}' if code > 1 else ''}"
