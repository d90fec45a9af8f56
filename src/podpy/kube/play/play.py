"""Creates and starts the pods of Kubernetes objects: all, or nothing.

Objects are translated and checked, and images pulled, before anything changes, so most mistakes change nothing. Then
podpy removes replaced pods, and creates the network, claims' volumes, each pod with its volumes and containers, and
secrets; at last the pods start. A failure or an interrupt undoes the changes; after a kill the next call does. A
container that can't start stays for inspection, as in Podman.
"""

from __future__ import annotations

import os
import socket

from podpy.errors import InUseError, PodPartsError, PodpyError, UsageError
from podpy.kube.play import host_paths, storage
from podpy.kube.play.down import Down, down
from podpy.kube.play.images import Images
from podpy.kube.play.made import Made
from podpy.kube.play.workloads import workloads
from podpy.kube.reading.objects import WORKLOADS
from podpy.kube.translate import pods, security
from podpy.kube.translate.containers import members
from podpy.kube.translate.context import Context, Node
from podpy.kube.translate.references import References
from podpy.kube.translate.volumes import volumes
from podpy.notice import warn
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.image.progress import Progress
    from podpy.kube.options import PlayOptions
    from podpy.kube.play.workloads import Workload
    from podpy.kube.reading.objects import Object
    from podpy.kube.translate.containers import Member
    from podpy.kube.translate.volumes import Volume
    from podpy.libpod.pods.pod import Pod
    from podpy.libpod.runtime import Runtime
    from podpy.spec.pod import PodSpec


class Played(Record):
    """One created pod: its id, its containers' (without init containers), and why some didn't start."""

    id: str
    containers: list[str]
    errors: list[str] = []


class Report(Record):
    """The pods and volumes that `play` has created, and those that it removed before (`replaced`)."""

    volumes: list[str] = []
    secrets: list[str] = []
    pods: list[Played] = []
    replaced: Down | None = None


class _Plan(Record):
    """A pod, ready to be created."""

    workload: Workload
    context: Context
    pod: PodSpec
    members: list[Member]
    volumes: dict[str, Volume]


def play(
    runtime: Runtime,
    objects: Sequence[Object],
    options: PlayOptions,
    *,
    configmaps: Sequence[Object] = (),
    progress: Callable[[], Progress] | None = None,
    on_replaced: Callable[[Down], object] | None = None,
    build: Callable[[str, str], object] | None = None,
) -> Report:
    """Create and start the pods of `objects`. `configmaps`: from --configmap.

    `on_replaced` gets the removed pods; `build` builds an image (its name, its directory).

    Raises UsageError with a position in a file, and as libpod.
    """
    made = Made(runtime)
    try:
        plans = _plans(runtime, objects, options, configmaps)
        bringing = Images(runtime, options, progress, build)
        for plan in plans:
            bringing.bring(plan.members, plan.volumes.values())
        if options.replaces:
            _replace(runtime, objects, plans, options, on_replaced)
        report = _make_and_start(runtime, objects, plans, options, made)
    except BaseException:  # an interrupt, too
        made.remove()
        raise
    made.keep()
    return report


def _replace(
    runtime: Runtime,
    objects: Sequence[Object],
    plans: Sequence[_Plan],
    options: PlayOptions,
    on_replaced: Callable[[Down], object] | None,
) -> None:
    removed = down(runtime, objects)
    if options.no_pod_prefix:
        _remove_namesakes(runtime, plans)
    if on_replaced:
        on_replaced(removed)


def _make_and_start(
    runtime: Runtime, objects: Sequence[Object], plans: Sequence[_Plan], options: PlayOptions, made: Made
) -> Report:
    service = None
    if options.service_name and plans:
        service = runtime.pods.create_service(options.service_name, options.service_exit, part_of=made.work)
        plans = [each.replace(pod=each.pod.replace(service=service.id)) for each in plans]
    report, found = _make(runtime, objects, plans, options, made)
    if not options.start:
        return report
    played = [each.replace(errors=_start(pod)) for each, pod in zip(report.pods, found, strict=True)]
    if service is not None:
        runtime.pods.start_service(service)
    return report.replace(pods=played)


def _plans(
    runtime: Runtime, objects: Sequence[Object], options: PlayOptions, configmaps: Sequence[Object]
) -> list[_Plan]:
    """Return the objects' pods, checked. Raises UsageError."""
    if not any(each.kind in (*WORKLOADS, "PersistentVolumeClaim", "Secret") for each in objects):
        if any(each.kind == "ConfigMap" for each in objects):
            raise UsageError("ConfigMaps in podman are not a standalone object and must be used in a container")
        raise UsageError("YAML document does not contain any supported kube kind")
    here = {each.name for each in objects if each.kind == "ConfigMap"}
    for each in configmaps:
        if each.name in here:
            told = f"ambiguous configuration: the same config map {each.name} is present in YAML and in --configmaps"
            raise each.value.wrong("metadata", told)
    references = References([*objects, *configmaps], lambda name: _stored(runtime, name))
    node = Node(name=socket.gethostname(), memory=storage.memory_of_machine(), cpus=os.cpu_count() or 1)
    wanted = workloads(objects, options)
    surroundings = Context(references=references, options=options, node=node)
    plans = [_placed(each, surroundings, number) for number, each in enumerate(wanted)]
    for plan in plans:
        host_paths.check(plan.volumes.values())
        if plan.workload.left_out:
            warn(f"annotations of {plan.workload.name} that podpy ignores: {', '.join(plan.workload.left_out)}")
    return plans


def _placed(workload: Workload, surroundings: Context, number: int) -> _Plan:
    """Return the plan of a pod; what is wrong with an annotation has its place, too. Raises UsageError."""
    try:
        return _plan(workload, surroundings, number)
    except UsageError as error:
        if error.message.startswith("annotation ") and workload.metadata is not None:
            raise workload.metadata.wrong("annotations", error.message, hint=error.hint) from None
        raise


def _plan(workload: Workload, surroundings: Context, number: int) -> _Plan:
    context = surroundings.replace(
        pod_name=workload.name,
        namespace=workload.namespace,
        labels=workload.labels,
        annotations=workload.annotations,
        names=workload.services,
        retries=workload.retries,
        deadline=workload.deadline,
    )
    own = members(workload.spec, context)
    sidecars = [member.spec.name for member in own if member.is_sidecar]
    return _Plan(
        workload=workload,
        context=context,
        pod=pods.pod_spec(workload.spec, context, number).replace(sidecars=sidecars),
        members=own,
        volumes=volumes(workload.spec, context),
    )


def _stored(runtime: Runtime, name: str) -> bytes | None:
    """Return the data of podpy's secret with exactly this name."""
    for secret in runtime.secrets.list():
        if secret.name == name:
            return runtime.secrets.data(secret.id)
    return None


def _remove_namesakes(runtime: Runtime, plans: Sequence[_Plan]) -> None:
    """Remove the containers with the new ones' names, for --no-pod-prefix."""
    names = {member.spec.name for plan in plans for member in plan.members}
    for container in runtime.containers():
        if container.name in names:
            container.remove(force=True)


def _make(
    runtime: Runtime, objects: Sequence[Object], plans: Sequence[_Plan], options: PlayOptions, made: Made
) -> tuple[Report, list[Pod]]:
    if any(each.network == pods.NETWORK for plan in plans for each in plan.pod.container.networks):
        runtime.networks.create(pods.NETWORK, ignore=True)
    claims = [each for each in objects if each.kind == "PersistentVolumeClaim"]
    named = [storage.make_claim(runtime, each, made) for each in claims]
    found: list[Pod] = []
    played: list[Played] = []
    for plan in plans:
        host_paths.make(plan.volumes.values(), made)
        try:
            pod, containers = _make_pod(runtime, plan, options, made)
        except PodpyError as error:
            error.message = plan.workload.where + error.message
            if isinstance(error, InUseError) and runtime.pods.exists(plan.pod.name):
                replace = "--replace removes the pods of these names first"
                error.hint = "another call has just made it: try again" if options.replaces else replace
            raise
        found.append(pod)
        played.append(Played(id=pod.id, containers=containers))
    # The last: what they replace is lost if this call is killed later.
    kept = [storage.make_secret(runtime, each, made) for each in objects if each.kind == "Secret"]
    return Report(volumes=named, secrets=kept, pods=played), found


def _make_pod(runtime: Runtime, plan: _Plan, options: PlayOptions, made: Made) -> tuple[Pod, list[str]]:
    pod = runtime.pods.create(plan.pod, options.pull, part_of=made.work)
    infra_id = pod.row.infra_id
    template = plan.workload.spec
    group = security.group_of_volumes(template)
    names = storage.make_volumes(runtime, infra_id, plan.volumes.values(), plan.members, group, made)
    whole = plan.context.replace(pod_id=pod.id, infra_id=infra_id, volumes=names)
    own = members(template, whole)
    storage.make_subpaths(runtime, infra_id, plan.volumes.values(), names, own, group)
    pull = options.pull.replace(policy="never") if options.pull else None
    containers: list[str] = []
    reasons: dict[str, None] = {}
    for member in own:
        reason = runtime.containers.unenforceable(member.spec)
        container = runtime.create(member.spec, pull)
        containers += [] if member.is_init else [container.id]
        reasons.update({reason: None} if reason else {})
    for reason in reasons:
        warn(f"not all limits of {pod.name} are enforced: {reason}")
    return pod, containers


def _start(pod: Pod) -> list[str]:
    """Start a pod; return an error line for each container that didn't start."""
    try:
        pod.start()
    except PodPartsError as error:
        ids = error.ids or [""] * len(error.parts)
        return [f"starting container {id}: {each.message}" for id, each in zip(ids, error.parts, strict=True)]
    except PodpyError as error:
        return [error.message]
    return []
