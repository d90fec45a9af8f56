"""`kube apply`: every document of a file, or of `kube generate`, to the cluster."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.kube.apply import kubeconfig, plugin
from podpy.kube.apply.cluster import Cluster
from podpy.record import Record
from podpy.yaml.load import load
from podpy.yaml.places import Plain
from podpy.yaml.scalars import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    Document = dict[str, Any]

_WORKLOADS = ("Pod", "Deployment", "DaemonSet", "Job", "StatefulSet", "CronJob", "ReplicaSet")


class Target(Record):
    """The target: the options of podman-kube-apply(1). The kubeconfig fills empty ones."""

    kubeconfig: str = ""  # a file
    namespace: str = ""
    authorities: str = ""  # a file with the cluster's authority, or "insecure"


def read(data: bytes, file: str) -> list[Document]:
    """Return the documents of a YAML file as plain data. `file` is its name in errors. Raises UsageError."""
    return [_plain(document) for document in load(data, file)]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return resolve(value) if isinstance(value, Plain) else value


def find(target: Target, environ: Mapping[str, str]) -> Cluster:
    """Return a kubeconfig's cluster, without connecting to it. `environ`: KUBECONFIG, HOME, a plugin's variables.

    Raises ConfigError.
    """
    files = kubeconfig.find_files(target.kubeconfig, environ)
    return Cluster(plugin.resolved(kubeconfig.access(files, authorities=target.authorities), environ))


def deploy(cluster: Cluster, documents: Iterable[Document], namespace: str = "") -> None:
    """Apply documents: first those that others need (claims, Services, ConfigMaps …), then workloads.

    The first refusal ends the call; earlier changes stay, and another call repeats them without effect.
    Raises UsageError for a document that isn't an object, before anything is sent; ClusterError.
    """
    checked = [_checked(document) for document in _flat(documents)]
    if not checked:
        raise UsageError("yaml file provided is empty, cannot apply to a cluster")
    for document in sorted(checked, key=lambda each: each["kind"] in _WORKLOADS):
        cluster.apply(document, namespace)


def _flat(documents: Iterable[Document]) -> Iterator[Document]:
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == "List":
            yield from _flat(document.get("items") or ())
        elif document is not None:
            yield document


def _checked(document: Any) -> Document:
    if not isinstance(document, dict):
        raise UsageError("unable to read kube YAML: a document isn't an object with kind, apiVersion and metadata")
    data = document.get("metadata")
    kind, version = document.get("kind"), document.get("apiVersion")
    if not (isinstance(kind, str) and isinstance(version, str) and kind and version):
        raise UsageError("unable to read kube YAML: an object has no kind or no apiVersion")
    if not (isinstance(data, dict) and isinstance(data.get("name"), str) and data["name"]):
        raise UsageError(f"unable to read kube YAML: a {kind} has no metadata.name")
    return document
