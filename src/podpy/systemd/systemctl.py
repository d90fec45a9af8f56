"""systemd's manager of a user, or of the machine, asked by systemctl(1)."""

from __future__ import annotations

from podpy.errors import NotFoundError, PodpyError
from podpy.process import find, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.process import Finished

NOT_LOADED = "Not loaded"
_HINT = "Is systemd running, with a session of yours? loginctl enable-linger gives you one"
INACTIVE = "inactive"
_PATIENCE = 100.0  # seconds: a stop takes as long as its unit lets it, TimeoutStopSec is 90
_A_DAY = 86400.0  # a restart takes as long as its unit lets it, and a pull in it may have that time lengthened


def states(units: Iterable[str], *, user: bool) -> dict[str, str]:
    """Return the units' states as Podman writes them, `active/running`; what isn't known isn't loaded."""
    names = [name for name in units if not name.endswith("@.service")]
    found: dict[str, str] = {}
    if not names:
        return found
    try:
        text = _call(["show", "--property=Id,LoadState,ActiveState,SubState", "--", *names], user=user)
    except PodpyError:  # no manager: nothing is loaded
        return found
    for block in text.split("\n\n"):
        facts = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if facts.get("LoadState") == "loaded":
            found[facts["Id"]] = f"{facts['ActiveState']}/{facts['SubState']}"
    return found


def reload(*, user: bool) -> None:
    """Let the manager run its generators. Raises PodpyError."""
    _call(["daemon-reload"], user=user)


def stop(unit: str, *, user: bool) -> None:
    """Stop a unit and wait for it. Raises PodpyError."""
    _call(["stop", "--", unit], user=user)


def start(unit: str, *, user: bool) -> None:
    """Start a unit and wait for it. Raises PodpyError."""
    _call(["start", "--", unit], user=user)


def restart(unit: str, *, user: bool) -> None:
    """Restart a unit and wait until it is up: with Type=notify, until it says READY. Raises PodpyError with systemd's
    own words.
    """
    done = _run(["--no-ask-password", "restart", "--", unit], user=user, patience=_A_DAY)
    if done.code:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0].rstrip(".")
        raise PodpyError(said or f"systemctl restart: exit status {done.code}", hint=journal(unit, user=user))


def journal(unit: str, *, user: bool) -> str:
    """Return the command that shows what a unit has said."""
    return f"journalctl --user -u {unit}" if user else f"journalctl -u {unit}"


def forget_failures(unit: str, *, user: bool) -> None:
    """Let a unit start again that has started as often as its StartLimitBurst= allows. Never raises for its state."""
    _run(["reset-failed", "--", unit], user=user)


def active_state(unit: str, *, user: bool) -> str:
    """Return a unit's ActiveState, as active, inactive, failed. Raises PodpyError."""
    return _call(["show", "--property=ActiveState", "--value", "--", unit], user=user).strip()


def shown(unit: str, name: str, *, user: bool) -> str:
    """Return one of a unit's properties; empty: it has none, or no manager answers."""
    try:
        return _call(["show", f"--property={name}", "--value", "--", unit], user=user).strip()
    except PodpyError:
        return ""


def _call(words: list[str], *, user: bool) -> str:
    done = _run(words, user=user)
    if done.code:
        raise PodpyError(f"systemctl {words[0]}: {done.error_text() or f'exit status {done.code}'}", hint=_HINT)
    return done.stdout.decode("utf-8", "surrogateescape")


def _run(words: list[str], *, user: bool, patience: float = _PATIENCE) -> Finished:
    try:
        program = find("systemctl")
    except NotFoundError as error:
        raise PodpyError(f"systemd isn't there: {error.message}", hint=_HINT) from error
    return run([program, *(["--user"] if user else []), "--no-pager", *words], timeout=patience)
