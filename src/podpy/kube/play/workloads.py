"""Pods, Deployments, DaemonSets and Jobs → the pods that they ask for."""

from __future__ import annotations

from podpy.kube.reading.objects import WORKLOADS
from podpy.kube.reading.places import Mapping
from podpy.kube.translate.annotations import allowed
from podpy.notice import warn
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.kube.options import PlayOptions
    from podpy.kube.reading.objects import Object

LIMITED = "Limiting replica count to 1, more than one replica is not supported by Podman"
_MOST_REPLICAS = 100
_NONE: dict[str, Any] = {}


class Workload(Record):
    """One pod. `where` names it in errors: Podman's words for a Deployment's pod, or empty. `services`: the names of
    the file's Services that choose it; it is found by these, too.
    """

    name: str
    spec: Mapping
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    left_out: list[str] = []  # annotations that aren't obeyed
    where: str = ""
    services: list[str] = []


def workloads(objects: Sequence[Object], options: PlayOptions) -> list[Workload]:
    """Return the pods that objects ask for, in their order. Raises UsageError."""
    found = [each for kube in objects for each in _of(kube, options)]
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
    if count > 1 and not options.multiple_pods:
        warn(LIMITED)
    names = replica_names(kube) if options.multiple_pods else [f"{kube.name}-pod"]
    return [found.replace(name=name) for name in names]


def replica_names(kube: Object) -> list[str]:
    """Return the names of the pods of a Deployment, DaemonSet or Job with --multiple-pods: one for each replica."""
    spec = _part(kube.value, "spec")
    count = spec.get("replicas", 1) if kube.kind == "Deployment" else 1
    if not 0 <= count <= _MOST_REPLICAS:
        raise spec.wrong("replicas", f"{count} replicas: at most {_MOST_REPLICAS} are made on one machine")
    return [f"{kube.name}-pod"] if count == 1 else [f"{kube.name}-pod-{number}" for number in range(count)]


def _workload(name: str, spec: Mapping, metadata: list[dict[str, Any]], options: PlayOptions) -> Workload:
    given: dict[str, str] = {}
    for each in metadata:
        given.update(each.get("annotations", _NONE))
    annotations, left_out = allowed(given, options.annotations)
    labels = {**metadata[0].get("labels", _NONE), **options.labels}
    return Workload(name=name, spec=spec, labels=labels, annotations=annotations, left_out=left_out)


def _part(value: Mapping, key: str) -> Mapping:
    if key not in value:
        raise value.wrong(key, "it is missing")
    part = value[key]
    assert isinstance(part, Mapping)  # the schema says so
    return part
