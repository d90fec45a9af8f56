"""`podpy run`."""

from __future__ import annotations

from podpy.cli.commands.containers.create import NEW, in_new_pod, progress_maker, pull_options
from podpy.cli.engine import open_runtime
from podpy.cli.streams import check_preserved, check_terminal, detach_keys, streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.held import Held
    from podpy.libpod.io.foreground import AttachOptions
    from podpy.spec.container import ContainerSpec


def run(options: Options) -> int:
    """Create a container, start it, and (without --detach) wait for it; return its exit code."""
    from podpy.cli.specgen.build import build_spec
    from podpy.libpod.containers.starting.run import run as create_and_start

    check_preserved(options.preserve_fds, options.preserve_fd)
    with open_runtime(options) as runtime:
        spec = build_spec(options)
        runtime.mark("options read")
        if options.explain:
            print("\n".join(runtime.containers.explain(spec)))
            return 0
        how = None if options.detach else _attach_options(options)

        def work(spec: ContainerSpec) -> tuple[Held, int | None]:
            return create_and_start(
                runtime,
                spec,
                pull_options(options),
                how,
                replace=options.replace,
                progress=progress_maker(options),
                discard=bool(options.rm or options.rmi),
            )

        try:
            container, code = in_new_pod(runtime, spec, work) if spec.pod.startswith(NEW) else work(spec)
        finally:
            if options.trace:
                from podpy.cli.show.trace import print_trace

                print_trace(runtime)
        if how is None:
            print(container.id)
        return code or 0


def _attach_options(options: Options) -> AttachOptions:
    """Return how this call attaches to the container. Raises UsageError."""
    from podpy.libpod.io.foreground import AttachOptions

    check_terminal(tty=options.tty and options.interactive)
    wanted = streams(interactive=options.interactive, attach=options.attach)
    how = AttachOptions(wanted, detach_keys=detach_keys(options), sig_proxy=options.sig_proxy)
    if wanted.stdout < 0 and wanted.stderr < 0:  # --attach=stdin
        how.on_start = lambda identifier: print(identifier, flush=True)
    return how
