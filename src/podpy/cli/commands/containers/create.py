"""`podpy create`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from podpy.cli.parser.options import Options
    from podpy.image.progress import Progress
    from podpy.libpod.containers.container import Container
    from podpy.libpod.containers.starting.create import PullOptions
    from podpy.libpod.runtime import Runtime
    from podpy.spec.container import ContainerSpec

    T = TypeVar("T")

NEW = "new:"
"""Begins a pod's name in --pod: the pod is made first."""


def run(options: Options) -> int:
    """Create a container and print its id."""
    from podpy.cli.specgen.build import build_spec

    with open_runtime(options) as runtime:
        spec = build_spec(options)
        runtime.mark("options read")
        if options.explain:
            print("\n".join(runtime.containers.explain(spec)))
            return 0

        def work(spec: ContainerSpec) -> Container:
            return runtime.create(
                spec,
                pull_options(options),
                replace=options.replace,
                progress=progress_maker(options),
            )

        container = in_new_pod(runtime, spec, work) if spec.pod.startswith(NEW) else work(spec)
        if options.trace:
            from podpy.cli.show.trace import print_trace

            print_trace(runtime)
        print(container.id)
    return 0


def in_new_pod(runtime: Runtime, spec: ContainerSpec, work: Callable[[ContainerSpec], T]) -> T:
    """Make the pod of `--pod new:NAME`, and return what `work` returns, which gets the container's spec.

    If no container is made in it, the pod goes again.
    """
    from podpy.cli.specgen.pods import new_pod

    asked, spec = new_pod(spec, spec.pod.removeprefix(NEW))
    pod = runtime.pods.create(asked)
    try:
        return work(spec.replace(pod=pod.id))
    except BaseException:
        if len(pod.members()) < 2:
            pod.remove(force=True)
        raise


def pull_options(options: Options) -> PullOptions:
    """Return how `run` and `create` find their image. Raises UsageError."""
    from podpy.libpod.containers.starting.create import PullOptions

    refuse_two_platforms(options)
    return PullOptions(
        policy=options.pull if options.given("pull") else "",
        platform=options.platform,
        os=options.os,
        arch=options.arch,
        variant=options.variant,
        tls_verify=options.tls_verify if options.given("tls_verify") else None,
        authfile=options.authfile,
        signature_policy=options.signature_policy,
        **_access(options),
    )


def _access(options: Options) -> dict[str, Any]:
    """Return the fields of Access (credentials, certificates, retries) that the options give."""
    if not (options.creds or options.cert_dir or options.given("retry") or options.given("retry_delay")):
        return {}
    from podpy.cli.registry_options import access_fields

    names = ("credentials", "cert_dir", "retries", "retry_delay")
    return {name: value for name, value in access_fields(options).items() if name in names}


def progress_maker(options: Options) -> Callable[[], Progress]:
    """Return a factory for the pull's progress reporter: most calls don't pull, so they import none."""

    def make_progress() -> Progress:
        from podpy.cli.show.image_progress import make

        return make(quiet=options.quiet)

    return make_progress


def refuse_two_platforms(options: Options) -> None:
    """Raise UsageError if --platform is given together with --arch or --os: they may say different things."""
    if options.platform and (options.arch or options.os):
        raise UsageError("--platform option can not be specified with --arch or --os", hint="Give --platform alone")
