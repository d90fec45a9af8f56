"""`podpy generate systemd`: containers and pods as units of systemd."""

from __future__ import annotations

import os
import sys

from podpy import files, process
from podpy.cli.called import called
from podpy.cli.engine import open_runtime
from podpy.errors import NotFoundError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.system.generate_systemd import Wanted

_DEPRECATED = """
DEPRECATED command:
It is recommended to use Quadlets for running containers and pods under systemd.

Please refer to podman-systemd.unit(5) for details.
"""


def systemd(options: Options) -> int:
    """Print the units, or write them into files and print their paths."""
    from podpy.cli.specgen.created import read
    from podpy.libpod.system.generate_systemd import generate

    sys.stderr.write(_DEPRECATED)
    wanted = _wanted(options)
    if options.format not in ("", "json"):
        raise UsageError(f"unknown --format argument: {options.format}")
    with open_runtime(options) as runtime:
        units = generate(runtime, options.container, wanted, read)
    if options.files:
        units = {name: _write(name, text) for name, text in units.items()}
    if options.format:
        import json

        print(json.dumps(units, indent=1, ensure_ascii=False))
    else:
        sys.stdout.write("".join(f"{each}\n" if options.files else each for each in units.values()))
    return 0


def _wanted(options: Options) -> Wanted:
    from podpy.libpod.system.generate_systemd import Wanted

    if options.given("new") and not options.new and options.template:
        raise UsageError("--template cannot be set with --new=false")
    if options.given("time") and options.given("stop_timeout"):
        raise UsageError("stop-timeout and time are redundant and cannot be used together")
    stop = next((getattr(options, name) for name in ("stop_timeout", "time") if options.given(name)), None)
    return Wanted(
        podpy=_program(),
        new=options.new or options.template,
        name=options.name,
        is_template=options.template,
        header=not options.no_header,
        container_prefix=options.container_prefix,
        pod_prefix=options.pod_prefix,
        separator=options.separator,
        restart_policy=options.restart_policy if options.given("restart_policy") else None,
        restart_sec=options.restart_sec,
        start_timeout=options.start_timeout,
        stop_timeout=stop,
        wants=options.wants,
        after=options.after,
        requires=options.requires,
        env=options.env,
    )


def _program() -> str:
    """Return the path of the program that was called."""
    try:
        return process.find(called())
    except NotFoundError:
        return process.own_program("podpy")


def _write(name: str, text: str) -> str:
    path = os.path.join(os.getcwd(), f"{name}.service")
    files.replace(path, text, 0o644)
    return path
