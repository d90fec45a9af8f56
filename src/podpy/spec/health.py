"""A container's health check as asked for, and how the image's is merged into it. Pure.

Times are nanoseconds, as in images (Docker's image spec v1.2, "Healthcheck"). None: left to the image, or to Podman's
defaults; `merged` replaces each None of a spec that has a check.
A test is a command of the container, or a probe over its network (`spec.probe`), which no image can ask for.
"""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.record import Record
from podpy.spec.probe import probe_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.image.documents.config import Healthcheck

SECOND = 1_000_000_000
INTERVAL = TIMEOUT = 30 * SECOND
RETRIES = 3
LOG_COUNT = 5
LOG_SIZE = 500  # bytes
LOCAL = "local"
EVENTS_LOGGER = "events_logger"
ACTIONS = ("none", "kill", "restart", "stop")
_NONE = "NONE"
_OF_A_CHECK = frozenset(("interval", "timeout", "retries", "start_period", "start_interval"))


class _OtherCheck(Record):
    """A check beside the regular one. Images have no such check, so no field is left to them."""

    test: list[str]
    interval: int = INTERVAL
    timeout: int = TIMEOUT
    successes: int = 0  # in a row, until the container counts as started or ready; 0 is 1
    initial_delay: int = 0  # from the container's start to the first run


class StartupCheck(_OtherCheck):
    """The check that must succeed before the others begin."""

    retries: int = 0  # failures before the container is restarted; 0: never
    on_failure: str = "restart"  # or stop, which doesn't start it again


class ReadinessCheck(_OtherCheck):
    """Whether the container is ready for work (Kubernetes' readinessProbe): it is shown, and has no effect."""

    retries: int = RETRIES  # failures in a row before it counts as not ready


class Health(Record):
    """A health check, where its results go, and what happens to an unhealthy container."""

    test: list[str] = []  # ["CMD", WORD…], ["CMD-SHELL", TEXT], ["NONE"]; empty: the image's
    interval: int | None = None  # 0: only `healthcheck run` checks
    timeout: int | None = None
    retries: int | None = None
    start_period: int | None = None
    start_interval: int | None = None  # Docker's: the interval during the start period; 0: as `interval`
    initial_delay: int = 0  # Kubernetes': from the container's start to the first run
    startup: StartupCheck | None = None
    readiness: ReadinessCheck | None = None
    on_failure: str = ACTIONS[0]  # only the user sets it: no image may
    log_destination: str = LOCAL  # local, events_logger, or a directory
    log_count: int = LOG_COUNT
    log_size: int = LOG_SIZE

    @property
    def is_checked(self) -> bool:
        """Whether there is a command or a probe to check with."""
        return is_check(self.test)

    @property
    def has_checks(self) -> bool:
        """Whether the monitor has anything to run: this check, or one for startup or readiness."""
        return self.is_checked or self.startup is not None or self.readiness is not None


def is_check(test: list[str]) -> bool:
    """Return whether a test is a command or a probe."""
    return bool(words_of(test)) or probe_of(test) is not None


def words_of(test: list[str]) -> list[str]:
    """Return a test's command; empty if it has none (NONE, a probe, or nothing behind CMD)."""
    if not test or test[0] in ("", _NONE) or probe_of(test) is not None:
        return []
    if test[0] == "CMD-SHELL":
        text = " ".join(test[1:])
        return ["/bin/sh", "-c", text] if text else []
    words = test[1:] if test[0] == "CMD" else test
    return list(words) if words and words[0] else []


def merged(health: Health | None, image: Healthcheck | None) -> Health | None:
    """Return the check, with the image's where the user gives no command; None if neither has one.

    The user's interval, timeout, retries and start period override the image's (podman-run(1)). A user's own command
    gets the defaults, not the image's values. Raises UsageError for a startup check without a regular one.
    """
    if health is None and (image is None or not image.test):
        return None
    health = health or Health()
    if not health.test and image is not None and image.test:
        names = ("interval", "timeout", "retries", "start_period", "start_interval")
        said = {name: getattr(image, name) for name in names if getattr(health, name) is None and getattr(image, name)}
        health = health.replace(test=_command_of(image.test), **said)
    if health.startup is not None and not health.test:
        raise UsageError("cannot set a startup healthcheck when there is no regular healthcheck: invalid argument")
    return _filled(health) if health.has_checks else health


def _command_of(test: list[str]) -> list[str]:
    """Return an image's test; never a probe, since an image may only name a command of its own."""
    return ["CMD", *test] if probe_of(list(test)) is not None else list(test)


def changed(health: Health | None, fields: dict[str, Any], startup: dict[str, Any]) -> Health:
    """Return the check with some of its fields, and of its startup check's, changed. Raises UsageError.

    `NONE` removes the startup check, too.
    """
    result = (health or Health()).replace(**fields)
    if fields.get("test", [])[:1] == [_NONE]:
        result = result.replace(startup=None, readiness=None)
    if startup:
        before = vars(result.startup) if result.startup is not None else {}
        if not before and "test" not in startup:
            raise UsageError("startup healthcheck command is not set", hint="Give one with --health-startup-cmd")
        result = result.replace(startup=StartupCheck(**{**before, **startup}))
    if not result.is_checked:
        if _OF_A_CHECK.intersection(fields) or startup:
            raise UsageError(
                "must define a healthcheck command for all healthchecks", hint="Give one with --health-cmd"
            )
        return result
    return _filled(result)


def _filled(health: Health) -> Health:
    defaults = {"interval": INTERVAL, "timeout": TIMEOUT, "retries": RETRIES, "start_period": 0, "start_interval": 0}
    return health.replace(**{name: value for name, value in defaults.items() if getattr(health, name) is None})


def from_dict(values: dict[str, Any]) -> Health:
    """Return the check whose `as_dict()` this is. Fields that this version doesn't know are left out."""
    known = {name: values[name] for name in Health._fields if name in values}
    for name, kind in (("startup", StartupCheck), ("readiness", ReadinessCheck)):
        check = known.get(name)
        if check is not None:
            known[name] = kind(**{field: check[field] for field in kind._fields if field in check})
    return Health(**known)
