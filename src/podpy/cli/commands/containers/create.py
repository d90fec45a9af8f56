"""`podpy create`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.parse import Options
    from podpy.image.progress import Progress
    from podpy.libpod.containers.starting.create import ImageOptions


def run(options: Options) -> int:
    """Create a container and print its id."""
    from podpy.cli.specgen.build import build_spec

    with open_runtime(options) as runtime:
        container = runtime.create(build_spec(options), image_options(options))
        print(container.id)
    return 0


def image_options(options: Options) -> ImageOptions:
    """Return how `run` and `create` find their image."""
    from podpy.libpod.containers.starting.create import ImageOptions

    return ImageOptions(
        policy=options.pull if options.given("pull") else "",
        platform=platform(options),
        replace_owner=options.replace,
        tls_verify=options.tls_verify if options.given("tls_verify") else None,
        authfile=options.authfile,
        signature_policy=options.signature_policy,
        progress=lambda: _progress(options),
    )


def _progress(options: Options) -> Progress:
    from podpy.cli.show.image_progress import make

    return make(quiet=options.quiet)


def refuse_two_platforms(options: Options) -> None:
    """Raise UsageError if --platform is given together with --arch or --os: they may say different things."""
    if options.platform and (options.arch or options.os):
        raise UsageError("--platform option can not be specified with --arch or --os", hint="Give --platform alone")


def platform(options: Options) -> str:
    """Return os/arch/variant from --platform, or from --os, --arch and --variant; empty for this machine's."""
    refuse_two_platforms(options)
    if options.platform:
        return str(options.platform)
    if not (options.os or options.arch or options.variant):
        return ""
    import os

    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    parts = [options.os or "linux", options.arch or machine, options.variant]
    return "/".join(part for part in parts if part)
