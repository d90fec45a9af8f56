"""The program: parse, import the one handler, call it, turn errors into one line and an exit code."""

from __future__ import annotations

import os
import sys

from podpy.cli.parser.failures import HelpRequested, MissingCommandError
from podpy.cli.show import notice
from podpy.errors import EXIT_FAILURE, EXIT_SIGNAL_BASE, PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from podpy.cli.parser.options import Options

_SIGINT = 2
_SIGPIPE = 13
_PACKAGES = {
    "yaml": "PyYAML",
    "_cffi_backend": "cffi",
    "backports": "backports.zstd",
}  # modules whose package has another name
_BUGS = "This is a bug in podpy: please report it, with what the same command prints after 'podpy --log-level=debug'"


def main(argv: list[str]) -> int:
    """Run one podpy command line (without the program's name) and return its exit code."""
    _prepare_streams()
    try:
        code = _run(argv)
    except BaseException as error:
        code = _report(error)
    return _flush(code)


def _run(argv: list[str]) -> int:
    from podpy.cli.parser.parse import parse
    from podpy.cli.parser.table_format import HANDLER
    from podpy.cli.parser.tables import load

    try:
        options, row = parse(argv, load())
    except HelpRequested as request:
        from podpy.cli.show.help import show_help

        return show_help(request.path)
    except MissingCommandError as error:
        if error.options.version:
            return _version()
        from podpy.cli.show.help import show_help

        show_help(error.group)  # as Podman: the help, and an error nevertheless
        raise
    if options.globals.version:
        return _version()
    said = options.globals
    notice.configure("debug" if said.debug else said.log_level, said.root, syslog=said.syslog)
    if notice.is_debugging():
        notice.tell_details(options.path)
    _redirect(said)
    return _call(row[HANDLER], options)


def _call(handler: str, options: Options) -> int:
    module_name, _, function_name = handler.partition(":")
    try:
        __import__(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        raise PodpyError(f"{options.path}: isn't there yet in this version of podpy") from None
    result = getattr(sys.modules[module_name], function_name)(options)
    return int(result)


def _version() -> int:
    from podpy.cli.called import engine_and_version

    print("{} version {}".format(*engine_and_version()))
    return 0


def _redirect(options: Options) -> None:
    path = os.devnull if options.noout else options.out
    if not path:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    os.dup2(descriptor, 1)
    os.close(descriptor)


def _prepare_streams() -> None:
    # Names and paths are bytes on Linux: they must go out as they came in, whatever the locale is.
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]


def _report(error: BaseException) -> int:
    """Print the error and its hint; return the exit code."""
    if isinstance(error, KeyboardInterrupt):
        return EXIT_SIGNAL_BASE + _SIGINT
    if isinstance(error, BrokenPipeError):
        return _broken_pipe()
    if notice.is_debugging():
        import traceback

        traceback.print_exception(error)
    if isinstance(error, PodpyError):
        if not error.already_told:
            notice.complain(error)
        return error.exit_code
    if isinstance(error, OSError) and _is_of_output(error):
        return EXIT_FAILURE  # `_flush` tells it
    if isinstance(error, OSError) and error.strerror:
        if error.filename is None and _module(error).startswith("podpy.cli."):  # which writes nothing but its output
            return _output_failed(error, EXIT_FAILURE)
        where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
        notice.complain(f"{error.strerror}{where}")
        return EXIT_FAILURE
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("podpy"):
        notice.complain(_missing_package(error.name))
        return EXIT_FAILURE
    notice.complain(f"internal error: {type(error).__name__}: {error} ({_place(error)}). {_BUGS}")
    return EXIT_FAILURE


def _is_of_output(error: OSError) -> bool:
    """Return whether it is what standard output still holds that can't be written: the flush at the end fails, too."""
    if error.filename is not None or sys.stdout is None:
        return False
    try:
        sys.stdout.flush()
    except OSError as again:
        return again.errno == error.errno
    return False


def _missing_package(module: str) -> PodpyError:
    package = module.partition(".")[0]
    return PodpyError(
        f"this Python has no module {module}, which this command needs",
        hint=f"Install it: {sys.executable} -m pip install {_PACKAGES.get(package, package)}",
    )


def _place(error: BaseException) -> str:
    trace = _innermost(error)
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "unknown place"


def _module(error: BaseException) -> str:
    """Return the module in which an error came up."""
    trace = _innermost(error)
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace else ""


def _innermost(error: BaseException) -> TracebackType | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _broken_pipe() -> int:
    """The reader of our output is gone: return a SIGPIPE death's exit code."""
    _drop_output()
    return EXIT_SIGNAL_BASE + _SIGPIPE


def _output_failed(error: OSError, code: int) -> int:
    """Say once that the output couldn't be written; it makes a successful command fail."""
    _drop_output()
    notice.complain(f"standard output: {error.strerror}")
    return code or EXIT_FAILURE


def _drop_output() -> None:
    """Keep what is still buffered from failing again."""
    descriptor = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(descriptor, 1)
    os.close(descriptor)


def _flush(code: int) -> int:
    """Write what is still buffered. A successful command fails if its output can't be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return _broken_pipe()
    except OSError as error:
        return _output_failed(error, code)
    return code
