"""`podpy push`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.images.options import PushOptions


def push(options: Options) -> int:
    """`podpy push`: prints nothing but its progress."""
    from podpy.cli.show.image_progress import FailuresTold, make, tell_result

    destination = options.destination or ""
    _check_destination(destination, options)
    wanted = push_options(options)
    wanted = wanted.replace(platform=options.platform)
    if options.compress and not wanted.compression:
        wanted = wanted.replace(compression="gzip")
    progress = make(quiet=options.quiet, style=options.progress)
    name = destination or options.image
    with FailuresTold(progress, name), open_runtime(options) as runtime:
        digest = runtime.images.push(options.image, destination, wanted, progress=progress)
    if options.digestfile:
        write_digest(options.digestfile, digest)
    tell_result(progress, "pushed", name=name, digest=digest)
    return 0


def push_options(options: Options) -> PushOptions:
    """Return how to push, as `push` or `manifest push` was told. Raises UsageError."""
    from podpy.cli.registry_options import access_fields
    from podpy.libpod.images.options import PushOptions

    return PushOptions(
        format=options.format,
        compression=options.compression_format,
        level=options.compression_level if options.given("compression_level") else None,
        # podman-push(1): a format that is asked for is forced, unless that is turned off.
        recompress=options.force_compression
        or (bool(options.compression_format) and not options.given("force_compression")),
        **access_fields(options),
    )


def write_digest(path: str, digest: str) -> None:
    """Write a digest into the file that `--digestfile` names, without a newline as Podman. Raises UsageError."""
    try:
        with open(path, "w") as file:
            file.write(digest)
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}", hint="The image is pushed; only its digest wasn't written"
        ) from None


def _check_destination(destination: str, options: Options) -> None:
    if options.compress and not destination.startswith("dir:"):
        raise UsageError("--compress is for the destination dir: only", hint="Registries get compressed layers anyway")
    if options.digestfile and destination.startswith("docker-archive:"):
        raise UsageError("--digestfile: a docker-archive has no manifest", hint="Take oci-archive:")
