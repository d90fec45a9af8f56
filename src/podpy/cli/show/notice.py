"""The only place that writes messages to standard error: errors with their hints, warnings, log lines.

The words are Podman's, since scripts match them: `Error: …` on the first line; `Hint: …`, podpy's own, on the next; and
what logrus prints for `--log-level`: `WARN[0000] text` on a terminal, `time="…" level=warning msg="text"` elsewhere.
"""

from __future__ import annotations

import sys
from time import localtime, monotonic, strftime

from podpy.errors import NoSpaceError, PodpyError, UsageError

LEVELS = {
    "trace": 0,
    "debug": 1,
    "info": 2,
    "warn": 3,
    "warning": 3,
    "error": 4,
    "fatal": 5,
    "panic": 6,
}
_NAMES = {0: "trace", 1: "debug", 2: "info", 3: "warning"}
_TRACE, _DEBUG, _INFO, _WARNING, _ERROR = 0, 1, 2, 3, 4
_SHORT = 4  # WARN, DEBU, INFO, TRAC

_began = monotonic()


class _Threshold:
    """The lowest level that is printed; `root` is the store that --root named."""

    level = _WARNING
    root = ""
    syslog = False


def configure(level: str, root: str = "", *, syslog: bool = False) -> None:
    """Print log lines from this level on (one of LEVELS; "" and unknown ones: warn); `root` is what --root said.

    `syslog`: log lines and errors go there, too (syslog(3)).
    """
    _Threshold.level = LEVELS.get(level, _WARNING)
    _Threshold.root = root
    _Threshold.syslog = syslog


def is_debugging() -> bool:
    """Return whether details are printed: --log-level=debug or trace, -D."""
    return _Threshold.level <= _DEBUG


def complain(error: PodpyError | str) -> None:
    """Print an error: its text, then its hint."""
    lines = error_lines(error)
    print_line("\n".join(lines))
    if _Threshold.syslog:
        _tell_syslog(_ERROR, lines[0])


def error_lines(error: PodpyError | str) -> list[str]:
    """Return an error's lines: `Error: …`, then, if there are such, where the help is, and `Hint: …`."""
    if not isinstance(error, PodpyError):
        return [f"Error: {_one_line(error)}"]
    lines = [f"Error: {_one_line(error.message)}"]
    if isinstance(error, UsageError) and error.see:
        lines.append(error.see)
    hint = _hint(error)
    if hint:
        lines.append(f"Hint: {_one_line(hint)}")
    return lines


def print_warning(text: str) -> None:
    """Print a warning of the library."""
    from podpy.notice import Plain

    if isinstance(text, Plain):
        print_line(text)
    else:
        log(_WARNING, text)


def print_note(text: str) -> None:
    """Print what the library says for --log-level=info."""
    log(_INFO, text)


def tell_details(path: str) -> None:
    """Print from now on each step of this command and the programs that it calls; no argv: it may hold secrets."""
    from podpy.notice import send_details_to
    from podpy.version import VERSION

    send_details_to(lambda text: log(_DEBUG, text), lambda text: log(_TRACE, text))
    log(_DEBUG, f"podpy {VERSION}: podpy {path}")


def log(level: int, text: str) -> None:
    """Print a log line of this level (0 is trace, 3 is warning) unless --log-level leaves it out."""
    if level < _Threshold.level:
        return
    name = _NAMES[level]
    if _Threshold.syslog:
        _tell_syslog(level, _one_line(text))
    if sys.stderr is not None and sys.stderr.isatty():
        print_line(f"{name[:_SHORT].upper()}[{int(monotonic() - _began):04d}] {_one_line(text)}")
        return
    zone = strftime("%z")
    now = f"{strftime('%Y-%m-%dT%H:%M:%S', localtime())}{zone[:3]}:{zone[3:]}"
    quoted = _one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    print_line(f'time="{now}" level={name} msg="{quoted}"')


def _tell_syslog(level: int, text: str) -> None:
    import syslog

    syslog.openlog("podpy", syslog.LOG_PID, syslog.LOG_USER)
    priorities = {_INFO: syslog.LOG_INFO, _WARNING: syslog.LOG_WARNING, _ERROR: syslog.LOG_ERR}
    syslog.syslog(priorities.get(level, syslog.LOG_DEBUG), text)


def print_line(text: str) -> None:
    """Flush standard output, then write a line to standard error. A closed standard error is no error."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        pass
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except (OSError, AttributeError, ValueError):
        pass


def _hint(error: PodpyError) -> str:
    """Return the error's hint. If it names commands that make room on a full disk, they get this store's --root."""
    if not isinstance(error, NoSpaceError) or not _Threshold.root:
        return error.hint
    from shlex import quote

    return error.hint.replace("podpy ", f"podpy --root {quote(_Threshold.root)} ")


def _one_line(text: str) -> str:
    """Return a text on one line, with what isn't UTF-8 and what would steer a terminal as Go's %q writes it: \\xff."""
    text = text.replace("\n", " ")
    if "\\udc" in text:  # repr() has been at it
        first, *rest = text.split("\\udc")
        text = first + "".join(f"\\x{part}" for part in rest)
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(letter: str) -> str:
    number = ord(letter)
    if 0xDC80 <= number <= 0xDCFF:  # a byte, as os.fsdecode keeps it
        return f"\\x{number - 0xDC00:02x}"
    is_control = number < 0x20 or 0x7F <= number < 0xA0
    return f"\\x{number:02x}" if is_control and letter != "\t" else letter
