"""`podpy kube play` and `podpy kube down`."""

from __future__ import annotations

import sys

from podpy.cli.commands.containers.create import progress_maker
from podpy.cli.engine import open_runtime
from podpy.errors import EXIT_FAILURE, UsageError
from podpy.notice import Plain, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.cli.parser.options import Options
    from podpy.kube.options import PlayOptions
    from podpy.kube.play.down import Down
    from podpy.kube.play.play import Report
    from podpy.kube.reading.objects import Object
    from podpy.libpod.containers.starting.create import PullOptions
    from podpy.libpod.runtime import Runtime


def play(options: Options) -> int:
    """Make the pods of files, and print what was made; with --down remove them."""
    if options.force and not options.down:
        raise UsageError("--force may be specified only with --down")
    with open_runtime(options) as runtime:
        objects, digest = _objects(runtime, options.files, options.validate)
        if options.down:
            from podpy.kube.play.down import down

            return _print_down(down(runtime, objects, force=options.force))
        if options.wait:
            from podpy.cli.commands.kube.waiting import play_and_wait

            return play_and_wait(
                runtime, objects, lambda: _play(runtime, objects, options, digest), _print_report, _print_down
            )
        return _print_report(_play(runtime, objects, options, digest))


def down(options: Options) -> int:
    """Remove the pods and secrets of files, and print what was removed."""
    from podpy.kube.play.down import down

    with open_runtime(options) as runtime:
        objects, _ = _objects(runtime, options.files, "ignore")
        return _print_down(down(runtime, objects, force=options.force))


def _play(runtime: Runtime, objects: Sequence[Object], options: Options, digest: str) -> Report:
    from podpy.kube.play.play import play

    return play(
        runtime,
        objects,
        _play_options(options).replace(service_name=f"{digest[:12]}-service" if options.service_container else ""),
        configmaps=_configmaps(runtime, options),
        progress=progress_maker(options),
        on_replaced=_print_down,
        build=_builder(runtime, options),
    )


def _builder(runtime: Runtime, options: Options) -> Callable[[str, str], object]:
    """Return what builds an image of the file; its lines go to standard error."""

    def build(name: str, directory: str) -> None:
        from podpy.build.build import Build
        from podpy.build.options import BuildOptions
        from podpy.cli.show.build_lines import Lines

        lines = Lines(2, 2, quiet=options.quiet)
        asked = BuildOptions(context=directory, names=[name], pull=_pull_options(options).replace(policy="missing"))
        Build(runtime, asked, lines, progress_maker(options)).run()

    return build


def _objects(runtime: Runtime, files: Sequence[str], validate: str) -> tuple[Sequence[Object], str]:
    """Return the objects of files, and the digest of all their bytes."""
    from hashlib import sha256

    from podpy.kube.play.sources import sources
    from podpy.kube.reading.objects import read

    found = sources(runtime, files, sys.stdin.fileno() if "-" in files else -1)
    objects, notes = read(found, validate)
    for note in notes:
        warn(note.text)
    return objects, sha256(b"".join(each.data for each in found)).hexdigest()


def _configmaps(runtime: Runtime, options: Options) -> Sequence[Object]:
    objects = _objects(runtime, options.configmap, options.validate)[0] if options.configmap else ()
    for each in objects:
        if each.kind != "ConfigMap":
            raise UsageError(f'invalid YAML kind: "{each.kind}". [ConfigMap] is the only supported by --configmap')
    return objects


def _play_options(options: Options) -> PlayOptions:
    """Return the options, read. Raises UsageError."""
    from podpy.kube.options import SECCOMP_ROOT, PlayOptions
    from podpy.spec.text.attachments import parse_mac, parse_networks
    from podpy.spec.text.life import log_driver, log_labels, log_options
    from podpy.spec.text.namespaces import check_userns
    from podpy.spec.text.ports import parse_publish
    from podpy.spec.text.values import parse_pairs

    network, networks = parse_networks(options.network) if options.network else ("", [])
    return PlayOptions(
        start=options.start,
        replaces=options.replace,
        no_pod_prefix=options.no_pod_prefix,
        multiple_pods=options.multiple_pods,
        network=network,
        networks=networks,
        ips=[_address(text) for text in options.ip],
        macs=[parse_mac(text) for text in options.mac_address],
        publish=[port for text in options.publish for port in parse_publish(text)],
        publish_all=options.publish_all,
        no_hosts=options.no_hosts if options.given("no_hosts") else None,
        no_hostname=options.no_hostname,
        service_exit=options.service_exit_code_propagation,
        labels=parse_pairs("--label", options.label, need_value=False),
        annotations=parse_pairs("--annotation", options.annotation),
        log_driver=log_driver(options.log_driver) if options.log_driver else "",
        log_options=log_options(options.log_opt),
        log_labels=log_labels(options.log_opt),
        userns=check_userns(options.userns) if options.userns else "",
        seccomp_root=options.seccomp_profile_root or SECCOMP_ROOT,
        pull=_pull_options(options),
        context_dir=options.context_dir or "",
        build=options.build if options.given("build") else None,
    )


def _pull_options(options: Options) -> PullOptions:
    from podpy.cli.registry_options import access_fields
    from podpy.libpod.containers.starting.create import PullOptions

    fields = access_fields(options)
    return PullOptions(**{**fields, "tls_verify": fields["tls_verify"] if options.given("tls_verify") else None})


def _address(text: str) -> str:
    from podpy.spec.text.network import is_address

    if not is_address(text) or ":" in text:
        raise UsageError(f'invalid argument "{text}" for "--ip" flag: failed to parse IP: "{text}"')
    return text


def _print_report(report: Report) -> int:
    """Print what was made, as Podman does; return the exit code."""
    for heading, lines in (("Volumes:", report.volumes), ("Secrets:", report.secrets)):
        if lines:
            print("\n".join([heading, *lines]))
    failed = 0
    for pod in report.pods:
        print(f"Pod:\n{pod.id}")
        if pod.containers:
            print("\n".join(["Container:" if len(pod.containers) == 1 else "Containers:", *pod.containers]))
        sys.stdout.flush()
        for error in pod.errors:
            warn(Plain(error))
        failed += len(pod.errors)
        print()
    sys.stdout.flush()
    if failed:
        raise UsageError(
            f"failed to start {failed} containers", hint="They are there to be looked at: podpy ps -a --pod"
        )
    return 0


def _print_down(found: Down) -> int:
    """Print what was removed, as Podman does; return the exit code."""
    for heading, lines in (
        ("Pods stopped:", found.stopped),
        ("Pods removed:", found.pods),
        ("Secrets removed:", found.secrets),
        ("Volumes removed:", found.volumes),
    ):
        print("\n".join([heading, *lines]))
    sys.stdout.flush()
    if not found.errors:
        return 0
    from podpy.cli.show.notice import complain

    for error in found.errors:
        complain(error)
    return EXIT_FAILURE
