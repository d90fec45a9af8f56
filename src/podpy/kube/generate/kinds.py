"""A pod → Deployment, DaemonSet, Job, Service; a volume → its claim."""

from __future__ import annotations

from random import sample

from podpy.errors import UsageError
from podpy.kube.generate import names
from podpy.kube.generate.words import known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.kube.generate.source import Options
    from podpy.storage.volumes.volume import Volume

    Document = dict[str, Any]

_NODE_PORTS = range(30000, 32768)
_VOLUME_OPTIONS = {"o": "mount-options", "device": "device", "type": "type", "UID": "uid", "GID": "gid"}


def of_kind(pod: Document, options: Options) -> Document:
    """Return the pod as the requested kind. Raises UsageError for a kind that can't hold it."""
    make = _KINDS.get(options.kind)
    if make is None:
        raise UsageError(
            "invalid generation type - only pods, deployments, jobs, and daemonsets are currently supported: "
            f"{options.kind}"
        )
    return make(pod, options)


def _deployment(pod: Document, options: Options) -> Document:
    _insist_on_always(pod, "Deployments")
    replicas = {"replicas": options.replicas} if options.replicas > 1 else {}
    return _around(pod, "apps/v1", "Deployment", {"selector": _selector(pod), **replicas})


def _daemon_set(pod: Document, _: Options) -> Document:
    _insist_on_always(pod, "DaemonSets")
    return _around(pod, "apps/v1", "DaemonSet", {"selector": _selector(pod)})


def _job(pod: Document, _: Options) -> Document:
    policy = pod["spec"].get("restartPolicy", "Never")
    if policy == "Always":
        raise UsageError("k8s Jobs can not have restartPolicy set to Always; only Never and OnFailure policies allowed")
    once = {**pod, "spec": {**pod["spec"], "restartPolicy": policy}}
    return _around(once, "batch/v1", "Job", {"completions": 1, "parallelism": 1})


def _pod(pod: Document, _: Options) -> Document:
    return pod


_KINDS: dict[str, Callable[[Document, Options], Document]] = {
    "pod": _pod,
    "deployment": _deployment,
    "daemonset": _daemon_set,
    "job": _job,
}


def _insist_on_always(pod: Document, kind: str) -> None:
    if pod["spec"].get("restartPolicy", "Always") != "Always":
        raise UsageError(f"k8s {kind} can only have restartPolicy set to Always")


def _selector(pod: Document) -> Document:
    return {"matchLabels": {"app": pod["metadata"]["labels"]["app"]}}


def _around(pod: Document, version: str, kind: str, spec: Document) -> Document:
    data = pod["metadata"]
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": names.label(data["name"], f"-{kind.lower()}"),
            "creationTimestamp": data["creationTimestamp"],
            "labels": data["labels"],
        },
        "spec": {**spec, "template": {"metadata": data, "spec": pod["spec"]}},
    }


def service(pod: Document) -> Document:
    """Return a Service that publishes the pod's ports at each node: NodePort, with random ports.

    For a pod without ports it is a headless Service, which only gives the pod a name in the cluster's DNS.
    """
    data = pod["metadata"]
    found = [port for one in pod["spec"]["containers"] for port in one.get("ports", ())]
    unique = names.Unique()
    nodes = sample(_NODE_PORTS, len(found))
    ports = [_service_port(port, node, unique) for port, node in zip(found, nodes, strict=True)]
    name = data["name"]  # a Service's name begins with a letter (RFC 1035)
    published = {"ports": ports, "type": "NodePort"} if ports else {"clusterIP": "None"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name if name[0].isalpha() else names.label(f"s-{name}"),
            "creationTimestamp": data["creationTimestamp"],
            "labels": data["labels"],
        },
        "spec": {**published, "selector": {"app": data["labels"]["app"]}},
    }


def _service_port(port: Document, node: int, unique: names.Unique) -> Document:
    number = port["containerPort"]
    return known(
        name=unique.take(f"{number}"),
        nodePort=node,
        port=number,
        protocol=port.get("protocol"),
        targetPort=number,
    )


def configmap(name: str, data: Document, now: str) -> Document:
    """Return a ConfigMap; `data`: its fields besides its metadata."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "creationTimestamp": now}, **data}


def volume_claim(volume: Volume, now: str, options: Options) -> Document:
    """Return a claim of 1 GiB for a volume, since podpy's have no size. The volume's options are annotations."""
    given = {_VOLUME_OPTIONS[key]: value for key, value in volume.options.items() if key in _VOLUME_OPTIONS}
    said = {"driver": volume.driver, **given}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": known(
            name=volume.name if options.podman_only else names.claim(volume.name),
            annotations={f"volume.podman.io/{key}": value for key, value in said.items()},
            creationTimestamp=now,
            labels=names.labels(volume.labels),
        ),
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        "status": {},
    }
