"""`podpy build`."""

from __future__ import annotations

import os

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.build.build import Built
    from podpy.build.options import BuildOptions
    from podpy.cli.parser.options import Options
    from podpy.cli.show.build_lines import Lines
    from podpy.image.progress import Progress


def build(options: Options) -> int:
    """Build an image and print its id."""
    from podpy.build.build import Build
    from podpy.cli.specgen.image_build import build_options

    context = _context(options)
    asked = build_options(options, context)
    if options.check:
        return _check(asked)
    lines = _lines(options)
    try:
        with open_runtime(options) as runtime:
            built = Build(runtime, asked, lines, _progress(options)).run()
            if options.manifest:
                if not runtime.manifests.exists(options.manifest):
                    runtime.manifests.create(options.manifest)
                runtime.manifests.add(options.manifest, [built.image_id])
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


def _lines(options: Options) -> Lines:
    from podpy.cli.show.build_lines import Lines

    if not options.logfile:
        is_taken = any(text == "-" or text.endswith("dest=-") for text in options.output)
        return Lines(2 if is_taken else 1, 2, quiet=options.quiet)
    try:
        log = os.open(options.logfile, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UsageError(f"opening {options.logfile}: {(error.strerror or str(error)).lower()}") from None
    return Lines(log, log, quiet=False, own=True)


def _progress(options: Options) -> Callable[[], Progress]:
    def make_progress() -> Progress:
        from podpy.cli.show.image_progress import make

        return make(quiet=options.quiet)

    return make_progress


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"failed to write image ID to file {path}: {(error.strerror or str(error)).lower()}") from None
