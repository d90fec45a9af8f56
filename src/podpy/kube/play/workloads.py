"""Pods, Deployments, DaemonSets and Jobs → their pods."""

from __future__ import annotations

from podpy.kube.reading.objects import WORKLOADS
from podpy.kube.translate.annotations import allowed
from podpy.notice import warn
from podpy.record import Record
from podpy.yaml.places import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.kube.options import PlayOptions
    from podpy.kube.reading.objects import Object

LIMITED = "Limiting replica count to 1, more than one replica is not supported by Podman"
_MOST_REPLICAS = 100
_BACKOFF_LIMIT = 6  # Kubernetes' default
_NONE: dict[str, Any] = {}


class Workload(Record):
    """One pod. `where`: Podman's words for a Deployment's pod in errors, or empty. `services`: the names of the file's
    Services that select it, which are names of it on its network.
    """

    name: str
    spec: Mapping
    namespace: str = "default"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    left_out: list[str] = []  # annotations that podpy ignores
    where: str = ""
    services: list[str] = []
    metadata: Mapping | None = None  # where its annotations are, for errors
    deadline: int = 0  # seconds that it may run; 0: any time
    retries: int | None = None  # of a Job: how often a container that fails is started again


def workloads(objects: Sequence[Object], options: PlayOptions) -> list[Workload]:
    """Return the objects' pods, in order. Raises UsageError."""
    found = [
        each.replace(namespace=kube.metadata.get("namespace") or each.namespace, metadata=kube.value.get("metadata"))
        for kube in objects
        for each in _of(kube, options)
    ]
    services = [kube for kube in objects if kube.kind == "Service"]
    return [each.replace(services=[kube.name for kube in services if _chooses(kube, each)]) for each in found]


def _chooses(service: Object, workload: Workload) -> bool:
    wanted = service.value.get("spec", _NONE).get("selector", _NONE).items()
    return bool(wanted) and all(workload.labels.get(key) == value for key, value in wanted)


def _of(kube: Object, options: PlayOptions) -> list[Workload]:
    if kube.kind not in WORKLOADS:
        return []
    spec = _part(kube.value, "spec")
    if kube.kind == "Pod":
        return [_workload(kube.name, spec, [kube.metadata], options)]
    template = _part(spec, "template")
    metadata = [kube.metadata, template.get("metadata", _NONE)]
    found = _workload(f"{kube.name}-pod", _part(template, "spec"), metadata, options)
    found = found.replace(labels={**metadata[1].get("labels", _NONE), **options.labels})
    found = found.replace(where=f"encountered while bringing up pod {found.name}: ")
    count = spec.get("replicas", 1) if kube.kind == "Deployment" else 1
    if count < 0:
        raise spec.wrong("replicas", f"{count} isn't a number of replicas")
    if count > 1 and not options.multiple_pods:
        warn(LIMITED)
    if kube.kind == "Job":
        least = min(filter(None, (found.deadline, _deadline(spec))), default=0)
        found = found.replace(retries=_retries(spec), deadline=least)
        _tell_of_job(kube.name, spec, options)
    names = replica_names(kube) if options.multiple_pods else [f"{kube.name}-pod"]
    return [found.replace(name=name) for name in names]


def _deadline(spec: Mapping) -> int:
    """Return the activeDeadlineSeconds of a pod or a Job, 0 without one. Raises UsageError."""
    seconds: int = spec.get("activeDeadlineSeconds", 0)
    if "activeDeadlineSeconds" in spec and not 0 < seconds < 2**31:
        raise spec.wrong("activeDeadlineSeconds", f"{seconds} is no number of seconds that a pod can run")
    return seconds


def _retries(job: Mapping) -> int:
    """Return a Job's backoffLimit, for its containers (Job v1). Raises UsageError."""
    limit: int = job.get("backoffLimit", _BACKOFF_LIMIT)
    if not 0 <= limit < 2**31:
        raise job.wrong("backoffLimit", f"{limit} is no number of retries")
    return limit


def _tell_of_job(name: str, job: Mapping, options: PlayOptions) -> None:
    """Warn of completions that there won't be. Raises UsageError for a number that can't be."""
    wanted = job.get("completions", job.get("parallelism", 1))
    made = _pods_of_job(job) if options.multiple_pods else 1
    if wanted < 0:
        raise job.wrong("completions", f"{wanted} is no number of completions")
    if wanted > made:
        hint = "" if options.multiple_pods else " (--multiple-pods: as many as run at the same time)"
        warn(f"Job {name}: {made} pod{'s' if made > 1 else ''} will run, each once, and no further ones{hint}")
    if job.get("suspend"):
        warn(f"Job {name}: suspend is ignored: its pod is started")


def _pods_of_job(job: Mapping) -> int:
    """Return how many pods of a Job run at the same time: its parallelism, at most its completions."""
    parallel: int = job.get("parallelism", 1)
    completions: int = job.get("completions", parallel)
    return min(parallel, completions)


def replica_names(kube: Object) -> list[str]:
    """Return the names of the pods of a Deployment, DaemonSet or Job with --multiple-pods: one for each replica.

    Of a Job as many as run at the same time. Raises UsageError.
    """
    spec = _part(kube.value, "spec")
    key = {"Deployment": "replicas", "Job": "parallelism"}.get(kube.kind, "")
    count = _pods_of_job(spec) if kube.kind == "Job" else spec.get(key, 1)
    if not 0 <= count <= _MOST_REPLICAS:
        raise spec.wrong(key, f"{count} {key}: at most {_MOST_REPLICAS} can run on one machine")
    return [f"{kube.name}-pod"] if count == 1 else [f"{kube.name}-pod-{number}" for number in range(count)]


def _workload(name: str, spec: Mapping, metadata: list[dict[str, Any]], options: PlayOptions) -> Workload:
    given: dict[str, str] = {}
    for each in metadata:
        given.update(each.get("annotations", _NONE))
    annotations, left_out = allowed(given, options.annotations)
    labels = {**metadata[0].get("labels", _NONE), **options.labels}
    return Workload(
        name=name, spec=spec, labels=labels, annotations=annotations, left_out=left_out, deadline=_deadline(spec)
    )


def _part(value: Mapping, key: str) -> Mapping:
    if key not in value:
        raise value.wrong(key, "it is missing")
    part = value[key]
    assert isinstance(part, Mapping)  # the schema guarantees it
    return part
