"""The commands about images that most people use: load, pull, images, rmi, tag, untag."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parse import Options


def load(options: Options) -> int:
    """`podpy load`."""
    from podpy.image.archive import load as load_archive

    source: str | int = options.input or 0
    if source == 0 and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("cannot read from terminal", hint="Use podpy load -i FILE, or podpy load < FILE")
    with open_runtime(options) as runtime:
        names = runtime.privileged(lambda: load_archive(runtime.store, source))
        runtime.store.close()
    if not options.quiet:
        for name in names:
            print(f"Loaded image: {name}")
    return 0


def pull(options: Options) -> int:
    """`podpy pull`: prints the id of each image."""
    from podpy.cli.image_progress import make
    from podpy.config.auth import parse_pair
    from podpy.image.pull import PullOptions, split_names
    from podpy.image.pull import pull as pull_image

    wanted = PullOptions(
        policy=options.policy,
        platform=options.platform,
        os=options.os,
        arch=options.arch,
        variant=options.variant,
        tls_verify=options.tls_verify,
        authfile=options.authfile,
        credentials=parse_pair(options.creds) if options.creds else None,
        cert_dir=options.cert_dir,
        signature_policy=options.signature_policy,
        retries=options.retry,
        retry_delay=_seconds(options.retry_delay),
    )
    names = split_names(options.images)
    progress = make(quiet=options.quiet)
    with open_runtime(options) as runtime:
        runtime.enter()
        for name in names:
            record = pull_image(runtime.store, runtime.paths, name, wanted, progress=progress)
            print(record.id)
        runtime.store.close()
    return 0


def _seconds(text: str) -> float:
    from podpy.cli.values import duration

    if not text:
        return 0.0
    return float(text) if text.isdigit() else duration(text)
