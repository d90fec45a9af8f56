"""`podpy pod create`, `pod clone`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def create(options: Options) -> int:
    """Make a pod and print its id."""
    from podpy.cli.specgen.pods import build_pod_spec

    replace = options.replace
    with open_runtime(options) as runtime:
        print(runtime.pods.create(build_pod_spec(options), replace=replace).id)
    return 0


def clone(options: Options) -> int:
    """Make a copy of a pod and print its id."""
    from podpy.cli.specgen.pods import changed_pod_spec

    with open_runtime(options) as runtime:
        pod = runtime.pods.get(options.pod)
        made = runtime.pods.clone(pod, changed_pod_spec(pod.spec, options), destroy=options.destroy)
        if options.start:
            made.start()
    print(made.id)
    return 0
