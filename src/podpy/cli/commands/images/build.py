"""`podpy build`."""

from __future__ import annotations

import os

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.build.build import Built
    from podpy.build.options import BuildOptions, Report
    from podpy.cli.parser.options import Options
    from podpy.cli.show.build_lines import Lines
    from podpy.cli.show.build_view import JsonLines, LiveView
    from podpy.image.progress import Progress

_STDOUT, _STDERR = 1, 2
_STYLES = ("auto", "plain", "tty", "rawjson", "quiet")


def build(options: Options) -> int:
    """Build an image and print its id."""
    from podpy.build.entry import built_for
    from podpy.cli.specgen.image_build import build_options

    context = _context(options)
    asked = build_options(options, context)
    if options.check:
        return _check(asked)
    lines = _lines(options)
    try:
        with open_runtime(options) as runtime:
            built = built_for(runtime, asked, lines, _progress(options, lines))
        lines.end(built.image_id)
    finally:
        lines.close()
    for path, text in ((options.iidfile, f"sha256:{built.image_id}"), (options.iidfile_raw, built.image_id)):
        if path:
            _write(path, text)
    if options.metadata_file:
        _write(options.metadata_file, _metadata(built))
    return 0


def _metadata(built: Built) -> str:
    """Return what `docker buildx build --metadata-file` writes, with what podpy knows of it."""
    from podpy.go.json import indented

    found = {"containerimage.config.digest": f"sha256:{built.image_id}", "containerimage.digest": built.digest}
    if built.names:
        found["image.name"] = ",".join(built.names)
    return indented(found, "  ")


def _check(asked: BuildOptions) -> int:
    """Print warnings about the Dockerfile; return 1 if there are any, as `docker build --check`."""
    from podpy.build.files import warnings

    found = warnings(asked)
    for one in found:
        print(f"{one.file}:{one.line}: {one.rule}: {one.message}")
    return 1 if found else 0


def _context(options: Options) -> str:
    """Return the context's text. Raises UsageError, in Podman's words."""
    given = options.context
    if len(given) > 1:
        raise UsageError(f"accepts at most 1 arg(s), received {len(given)}")
    if given:
        return str(given[0])
    if not options.file:
        raise UsageError("no context directory and no Containerfile specified", hint="podpy build . builds here")
    first = options.file[0]
    return os.path.dirname(os.path.abspath(first)) if first != "-" else "."


def _lines(options: Options) -> Lines | JsonLines | LiveView:
    from podpy.cli.show.build_lines import Lines

    is_taken = any(text == "-" or text.endswith("dest=-") for text in options.output)
    out = _STDERR if is_taken else _STDOUT
    style = _style(options, out)
    if style == "rawjson":
        from podpy.cli.show.build_view import JsonLines

        return JsonLines(out)
    if style == "tty":
        from podpy.cli.show.build_view import LiveView

        return LiveView(out)
    if not options.logfile:
        return Lines(out, _STDERR, quiet=style == "quiet")
    try:
        log = os.open(options.logfile, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UsageError(f"opening {options.logfile}: {(error.strerror or str(error)).lower()}") from None
    return Lines(log, log, quiet=False, own=True)


def _style(options: Options, out: int) -> str:
    """Return how the build is shown: plain, tty, rawjson or quiet. Raises UsageError."""
    style = options.progress or "auto"
    if style not in _STYLES:
        raise UsageError(f"invalid progress mode {style}", hint=f"One of {', '.join(_STYLES)}")
    if options.quiet:
        return "quiet"
    has_terminal = os.isatty(_STDERR) and os.environ.get("TERM", "dumb") != "dumb"
    if style == "auto":
        is_live = has_terminal and os.isatty(out) and not options.logfile and not options.explain
        return "tty" if is_live else "plain"
    if style in ("tty", "rawjson") and options.logfile:
        raise UsageError(f"--progress={style} can't be used with --logfile", hint="--progress=plain goes to a file")
    if style == "tty" and not has_terminal:
        raise UsageError("--progress=tty: standard error is no terminal", hint="--progress=plain prints lines")
    return style


def _progress(options: Options, lines: Report) -> Callable[[], Progress]:
    from podpy.cli.show.build_lines import Lines

    is_hidden = options.quiet or not isinstance(lines, Lines)  # nothing else may be between events, or in a picture

    def make_progress() -> Progress:
        from podpy.cli.show.image_progress import make

        return make(quiet=is_hidden)

    return make_progress


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"failed to write image ID to file {path}: {(error.strerror or str(error)).lower()}") from None
