"""`podpy pod logs`, `pod stats`, `pod top`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import NoSuchPodError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.stats import Stats
    from podpy.libpod.pods.pod import Pod
    from podpy.libpod.runtime import Runtime

    Samples = list[tuple[str, Stats]]

_CLEAR_SCREEN = "\x1b[2J\x1b[H"
_INTERVAL = 5  # seconds, as Podman
_HEADING = ("POD", "CID", "NAME", "CPU %", "MEM USAGE/ LIMIT", "MEM %", "NET IO", "BLOCK IO", "PIDS")


def logs(options: Options) -> int:
    """Print what the containers of a pod wrote, or one of them."""
    from podpy.cli.commands.containers.logs import asked, print_logs

    wanted = asked(options)
    with open_runtime(options) as runtime:
        pod = _one(runtime, options)
        containers = [each for each in pod.containers() if not each.spec.is_infra]
        if options.container:
            chosen = runtime.container(options.container)
            containers = [each for each in containers if each.id == chosen.id]
            if not containers:
                raise UsageError(f"container {options.container} is not in pod {pod.name}: no such container")
        return print_logs(runtime, containers, wanted, options) if containers else 0


def top(options: Options) -> int:
    """List the processes of a pod's running containers, or the fields that can be shown."""
    from podpy.go.table import align
    from podpy.libpod.containers.top import descriptors

    if options.list_descriptors:
        print("\n".join(descriptors()))
        return 0
    with open_runtime(options) as runtime:
        try:
            pod = _one(runtime, options)
        except NoSuchPodError as error:
            raise NoSuchPodError(f"unable to look up requested container: {error.message}", hint=error.hint) from None
        lines = pod.top(options.fields)
    sys.stdout.write(align("".join("\t".join(line) + "\n" for line in lines)))
    return 0


def stats(options: Options) -> int:
    """Print what the containers of pods use, once or over and over."""
    from podpy.cli.streams import pause

    with open_runtime(options) as runtime:
        try:
            names = [runtime.pods.latest().id] if options.latest else options.pods
            sampler = runtime.pods.stats(names)
        except NoSuchPodError as error:
            raise NoSuchPodError(f"unable to get list of pods: {error.message}", hint=error.hint) from None
        is_live = sys.stdout.isatty() and not options.no_stream and not options.no_reset
        write = _writer(options)
        while True:
            sys.stdout.write((_CLEAR_SCREEN if is_live else "") + write(sampler.sample()))
            sys.stdout.flush()
            if options.no_stream:
                return 0
            pause(_INTERVAL)


def _one(runtime: Runtime, options: Options) -> Pod:
    return runtime.pods.latest() if options.latest else runtime.pods.get(options.pod)


def _writer(options: Options) -> Callable[[Samples], str]:
    from podpy.cli.show import pod_stat_rows as rows
    from podpy.cli.show import report

    if not options.format:
        from podpy.go.table import align_rows

        return lambda samples: align_rows([_HEADING, *(rows.cells(pod, each) for pod, each in samples)])
    if report.is_json(options.format):
        from podpy.go.json import indented

        return lambda samples: indented([rows.row(pod, each) for pod, each in samples], "     ") + "\n"
    heading = None
    if report.wants_heading(options.format):
        heading = report.headers(rows.empty(), **rows.HEADINGS)
    return lambda samples: report.render(
        options.format, [rows.row(pod, each) for pod, each in samples], heading, default=""
    )
