"""Which of the caller's streams a container is attached to: -i, -t, -a, --no-stdin."""

from __future__ import annotations

import os
import sys

from podpy.errors import UsageError
from podpy.libpod.caller import Streams
from podpy.process import preserved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_STDIN, _STDOUT, _STDERR = 0, 1, 2


def streams(*, interactive: bool, attach: list[str], tty: bool = False) -> Streams:
    """Return the attached descriptors. Raises UsageError if --attach isn't stdin, stdout or stderr."""
    wanted = {name.lower() for name in attach}
    unknown = wanted - {"stdin", "stdout", "stderr"}
    if unknown:
        raise UsageError(
            f'invalid stream "{sorted(unknown)[0]}" for --attach - must be one of stdin, stdout, or stderr: '
            "invalid argument"
        )
    output = wanted & {"stdout", "stderr"} if wanted else {"stdout", "stderr"}
    return Streams(
        stdin=_STDIN if interactive and (not wanted or "stdin" in wanted) and _is_open(_STDIN) else -1,
        stdout=_STDOUT if "stdout" in output and _is_open(_STDOUT) else -1,
        stderr=_STDERR if "stderr" in output and _is_open(_STDERR) else -1,
    )


def check_preserved(number: int, more: list[int]) -> None:
    """Raise UsageError if --preserve-fds or --preserve-fd names a descriptor that the caller hasn't passed."""
    if more and min(more) < 3:
        raise UsageError(f"--preserve-fd {min(more)}: the first that can be passed is 3")
    for descriptor in preserved(number, more):
        if not is_handed_over(descriptor):
            raise UsageError(
                f"file descriptor {descriptor} is not available - the preserve-fds option requires that file "
                "descriptors must be passed"
            )


def is_handed_over(descriptor: int) -> bool:
    """Return whether the caller passed this descriptor. An open descriptor that is close-on-exec is podpy's own."""
    return _is_open(descriptor) and os.get_inheritable(descriptor)


def require_output() -> None:
    """Raise UsageError if standard output was closed when podpy was called: what goes there would be lost.

    The launcher has put /dev/null in its place, so that no other file gets that number, and tells it.
    """
    if "podpy_closed" in sys._xoptions:
        raise UsageError("standard output is closed: bad file descriptor")


def check_terminal(*, tty: bool) -> None:
    """Warn, as Podman does, if -i and -t are given and stdin is no terminal: the output will have \\r\\n."""
    if tty and not (_is_open(_STDIN) and os.isatty(_STDIN)):
        from podpy.cli.show.notice import print_warning

        print_warning("The input device is not a TTY. The --tty and --interactive flags might not work properly")


def pause(seconds: float) -> None:
    """Wait until the next output is due. Raises BrokenPipeError when nobody reads it any more."""
    from podpy.polling import wait_readable

    wait_readable((), seconds, output=_STDOUT)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def detach_keys(options: Options) -> bytes | None:
    """Return the bytes of `--detach-keys`, or None if it wasn't given: containers.conf decides. Raises UsageError."""
    if not options.given("detach_keys"):
        return None
    from podpy.libpod.io.attach import parse_detach_keys

    return parse_detach_keys(options.detach_keys)
