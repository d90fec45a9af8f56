"""Work with progress reports, also from the helper process that does it for a library's caller."""

from __future__ import annotations

from time import monotonic

from podpy.image.progress import SILENT, Progress
from podpy.systemd.notify import VARIABLE, extend_timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from podpy.image.registry.access import Access
    from podpy.libpod.engine import Engine

    T = TypeVar("T")
    A = TypeVar("A", bound=Access)


def patient(engine: Engine, access: A) -> A:
    """Return the connection's options, with containers.conf's `retry` and `retry_delay` if they aren't set.

    Raises ConfigError.
    """
    if access.retries is not None and access.retry_delay is not None:
        return access
    from podpy.errors import ConfigError
    from podpy.go.values import retry_delay

    conf = engine.conf
    try:
        delay = retry_delay(conf.retry_delay) if access.retry_delay is None else access.retry_delay
    except ValueError as error:
        raise ConfigError(f'retry_delay in containers.conf: invalid value "{conf.retry_delay}": {error}') from error
    return access.replace(retries=conf.retry if access.retries is None else access.retries, retry_delay=delay)


def transfer(engine: Engine, work: Callable[[Progress], T], progress: Progress | None) -> T:
    """Do `work(reporter)` in the user's namespaces, and return its result.

    `progress` gets the reports in this process: from several threads if this process does the work (the command line),
    else, from a helper, one call after the other. A service manager that waits for this process waits for the transfer.
    """
    if VARIABLE in engine.caller.environ:
        progress = _Patience(engine.caller.environ, progress or SILENT)
    if progress is None or progress is SILENT:
        return engine.privileged(lambda: work(SILENT))
    heard = progress

    def hear(event: object) -> None:
        assert isinstance(event, tuple)
        getattr(heard, event[0])(*event[1:])

    return engine.privileged_telling(lambda tell: work(_Told(tell)), hear)


class _Told(Progress):
    """Turns each call into a message to another process."""

    def __init__(self, tell: Callable[[object], None]) -> None:
        self._tell = tell

    def message(self, text: str) -> None:
        self._tell(("message", text))

    def layer_started(self, digest: str, size: int, offset: int) -> None:
        self._tell(("layer_started", digest, size, offset))

    def layer_advanced(self, digest: str, count: int) -> None:
        self._tell(("layer_advanced", digest, count))

    def layer_done(self, digest: str) -> None:
        self._tell(("layer_done", digest))

    def layer_exists(self, digest: str) -> None:
        self._tell(("layer_exists", digest))

    def config(self, digest: str) -> None:
        self._tell(("config", digest))

    def committing(self) -> None:
        self._tell(("committing",))

    def close(self) -> None:
        self._tell(("close",))


class _Patience(Progress):
    """Passes all on, and lets a service manager wait as long as something arrives (sd_notify(3), EXTEND_TIMEOUT_USEC=).

    A unit's start may take 90 seconds, a pull longer. Podman asks for 30 seconds ten times, whether something arrives
    or not; so its limit is five minutes.
    """

    _STEP = 10.0  # seconds between two requests
    _AT_ONCE = 60  # seconds that the next piece may take
    _AT_THE_END = 300  # unpacked layers must get to the disk

    def __init__(self, environ: Mapping[str, str], told: Progress) -> None:
        self._environ = environ
        self._told = told
        self._asked = float("-inf")
        self._ask()

    def _ask(self, seconds: int = _AT_ONCE) -> None:
        now = monotonic()
        if now - self._asked >= self._STEP or seconds != self._AT_ONCE:
            self._asked = now
            extend_timeout(self._environ, seconds)

    def message(self, text: str) -> None:
        self._ask()
        self._told.message(text)

    def layer_started(self, digest: str, size: int, offset: int) -> None:
        self._ask()
        self._told.layer_started(digest, size, offset)

    def layer_advanced(self, digest: str, count: int) -> None:
        self._ask()
        self._told.layer_advanced(digest, count)

    def layer_done(self, digest: str) -> None:
        self._ask()
        self._told.layer_done(digest)

    def layer_exists(self, digest: str) -> None:
        self._told.layer_exists(digest)

    def config(self, digest: str) -> None:
        self._told.config(digest)

    def committing(self) -> None:
        self._ask(self._AT_THE_END)
        self._told.committing()

    def close(self) -> None:
        self._told.close()
