"""`podpy load`, `pull`, `image inspect`, `image exists`; the lists and changes are in their own modules."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import NoSuchImageError, NotANameError, PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.parse import Options
    from podpy.go.template.values import Struct
    from podpy.image.incoming.pull import PullOptions
    from podpy.image.progress import Progress
    from podpy.libpod.runtime import Runtime


def load(options: Options) -> int:
    """`podpy load`."""
    from podpy.cli.show.image_progress import FailuresTold, make, tell_image, tells_events
    from podpy.image.archive.read import load as load_archive

    source: str | int = options.input or 0
    if source == 0 and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("cannot read from terminal", hint="Use podpy load -i FILE, or podpy load < FILE")
    # Podman's lines about a load only repeat what the last line says; bars are worth something where they move.
    progress = make(quiet=options.quiet or not sys.stderr.isatty(), style=options.progress)
    with FailuresTold(progress, options.input or "-"), open_runtime(options) as runtime:
        names = runtime.privileged(
            lambda: load_archive(runtime.store, source, policy_file=options.signature_policy, progress=progress)
        )
        for name in names:
            if tells_events(progress):
                tell_image(progress, runtime.image(name).id, name)
            else:
                print(f"Loaded image: {name}")
    return 0


def pull(options: Options) -> int:
    """`podpy pull`: prints the id of each image; one that can't be pulled doesn't stop the others."""
    from podpy.cli.commands.containers.create import refuse_two_platforms
    from podpy.cli.registry_options import access_fields
    from podpy.cli.show.image_progress import make
    from podpy.image.incoming.pull import PullOptions

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
        runtime.enter()
        pulls = _Pulls(runtime, wanted, progress)
        for name in options.images:
            pulls.all_tags(name) if options.all_tags else pulls.one(name)
    return pulls.code


class _Pulls:
    """The images of one call; `code` is the first failure's exit code."""

    def __init__(self, runtime: Runtime, options: PullOptions, progress: Progress) -> None:
        self.code = 0
        self._runtime = runtime
        self._options = options
        self._progress = progress

    def one(self, name: str) -> None:
        """Pull one image and print its id."""
        from podpy.cli.show.image_progress import tell_image
        from podpy.image.incoming.pull import pull as pull_image
        from podpy.image.incoming.pull import pull_place, warn_of_platform
        from podpy.image.names.places import is_place

        store, paths = self._runtime.store, self._runtime.paths
        try:
            if is_place(name):
                records = pull_place(store, name, self._options, progress=self._progress)
            else:
                records = [pull_image(store, paths, name, self._options, progress=self._progress)]
        except PodpyError as error:
            self._fail(error, name)
        else:
            for record in records:
                warn_of_platform(record, self._options)
                tell_image(self._progress, record.id, name)

    def all_tags(self, name: str) -> None:
        """Pull each tag of a repository."""
        from podpy.image.incoming.pull import all_tags

        try:
            names = all_tags(self._runtime.paths, name, self._options)
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
    """`podpy image inspect`: prints what it finds; what it doesn't find is an error afterwards."""
    from podpy.cli.show import report
    from podpy.cli.show.notice import complain
    from podpy.go.json import indented

    found: list[Any] = []
    errors: list[NoSuchImageError] = []
    with open_runtime(options) as runtime:
        for name in options.images:
            try:
                found.append(inspect_data(runtime, name))
            except NoSuchImageError as error:
                errors.append(error)
    if report.is_json(options.format) or not options.format:
        print(indented(found))
    elif found:
        sys.stdout.write(report.render_each(options.format, found))
    for missing in errors:
        complain(missing)
    return errors[0].exit_code if errors else 0


def inspect_data(runtime: Runtime, name: str) -> Struct:
    """Return what `image inspect` says about an image, as a template sees it. Raises NoSuchImageError."""
    from podpy.go.view import image_view
    from podpy.image.documents.describe import inspect as inspect_image

    return image_view(inspect_image(runtime.store, runtime.image(name)))


def exists(options: Options) -> int:
    """`podpy image exists`: 0 or 1."""
    with open_runtime(options) as runtime:
        try:
            runtime.image(options.image)
        except NotANameError:
            raise
        except NoSuchImageError:
            return 1
    return 0
