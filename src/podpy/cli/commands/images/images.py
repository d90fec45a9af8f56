"""`podpy load`, `pull`, `image inspect`, `image exists`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import NoSuchImageError, PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct
    from podpy.libpod.images.options import Progress, PullOptions
    from podpy.libpod.runtime import Runtime


def load(options: Options) -> int:
    """`podpy load`."""
    from podpy.cli.show.image_progress import FailuresTold, make, tell_image, tells_events

    source: str | int = options.input or 0
    if source == 0:
        refuse_terminal("the --input flag")
    # Podman's lines about a load only repeat what its last line says, so nothing is printed unless bars can be drawn.
    progress = make(quiet=options.quiet or not sys.stderr.isatty(), style=options.progress)
    with FailuresTold(progress, options.input or "-"), open_runtime(options) as runtime:
        for name in runtime.images.load(source, signature_policy=options.signature_policy, progress=progress):
            if tells_events(progress):
                tell_image(progress, runtime.images.get(name).id, name)
            else:
                print(f"Loaded image: {name}")
    return 0


def refuse_terminal(instead: str) -> None:
    """Raise UsageError, in Podman's words, if an archive would be read from a terminal."""
    if sys.stdin is not None and sys.stdin.isatty():
        raise UsageError(f"cannot read from terminal, use command-line redirection or {instead}")


def pull(options: Options) -> int:
    """`podpy pull`: prints the id of each image; one that can't be pulled doesn't stop the others."""
    from podpy.cli.commands.containers.create import refuse_two_platforms
    from podpy.cli.registry_options import access_fields
    from podpy.cli.show.image_progress import make
    from podpy.libpod.images.options import PullOptions

    refuse_two_platforms(options)
    wanted = PullOptions(
        policy=options.policy,
        platform=options.platform,
        os=options.os,
        arch=options.arch,
        variant=options.variant,
        **access_fields(options),
    )
    progress = make(quiet=options.quiet, style=options.progress)
    with open_runtime(options) as runtime:
        pulls = _Pulls(runtime, wanted, progress)
        for name in options.images:
            pulls.all_tags(name) if options.all_tags else pulls.one(name)
    return pulls.code


class _Pulls:
    """The images of one call; `code` is the first failure's exit code."""

    def __init__(self, runtime: Runtime, options: PullOptions, progress: Progress) -> None:
        self.code = 0
        self._images = runtime.images
        self._options = options
        self._progress = progress

    def one(self, name: str) -> None:
        """Pull one image and print its id."""
        from podpy.cli.show.image_progress import tell_image

        try:
            records = self._images.pull(name, self._options, progress=self._progress)
        except PodpyError as error:
            self._fail(error, name)
        else:
            for record in records:
                tell_image(self._progress, record.id, name)

    def all_tags(self, name: str) -> None:
        """Pull each tag of a repository."""
        try:
            names = self._images.all_tags(name, self._options)
        except PodpyError as error:
            self._fail(error, name)
        else:
            for tagged in names:
                self.one(tagged)

    def _fail(self, error: PodpyError, name: str) -> None:
        from podpy.cli.show.image_progress import tell_failure
        from podpy.cli.show.notice import complain

        self.code = self.code or error.exit_code
        tell_failure(self._progress, error, name)
        complain(error)


def inspect(options: Options) -> int:
    """`podpy image inspect`: prints the images that it finds, then an error for each name that it doesn't find."""
    from podpy.cli.show import report
    from podpy.cli.show.notice import complain

    found: list[Any] = []
    errors: list[NoSuchImageError] = []
    with open_runtime(options) as runtime:
        for name in options.images:
            try:
                found.append(inspect_data(runtime, name))
            except NoSuchImageError as error:
                errors.append(error)
    sys.stdout.write(report.inspected(options.format, found))
    for missing in errors:
        complain(missing)
    return errors[0].exit_code if errors else 0


def inspect_data(runtime: Runtime, name: str) -> Struct:
    """Return what `image inspect` says about an image, as a template sees it. Raises NoSuchImageError."""
    from podpy.go.view import image_view

    return image_view(runtime.images.inspect(name))


def exists(options: Options) -> int:
    """`podpy image exists`: 0 or 1."""
    with open_runtime(options) as runtime:
        return 0 if runtime.images.exists(options.image) else 1
