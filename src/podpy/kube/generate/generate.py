"""`kube generate`: containers, pods and volumes → documents for a cluster, and their text."""

from __future__ import annotations

from time import time

from podpy.errors import NoSuchContainerError, NoSuchPodError, NoSuchVolumeError, NotFoundError, UsageError
from podpy.kube.generate import kinds
from podpy.kube.generate.pod import pod
from podpy.kube.generate.source import Group, Source
from podpy.libpod.containers import origin
from podpy.spec.container import ContainerSpec
from podpy.spec.defaults import with_defaults
from podpy.times import SECOND, rfc3339
from podpy.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.kube.generate.source import Options
    from podpy.libpod.containers.container import Container
    from podpy.libpod.pods.pod import Pod
    from podpy.libpod.runtime import Runtime
    from podpy.storage.volumes.volume import Volume

    Document = dict[str, Any]

_HEAD = f"""\
# Save the output of this file and use kubectl create -f to import
# it into Kubernetes.
#
# Created with podpy-{VERSION}
"""
_SELINUX = """
# NOTE: If you generated this yaml from an unprivileged and rootless podman container on an SELinux
# enabled system, check the podman generate kube man page for steps to follow to ensure that your pod/container
# has the right permissions to access the volumes added.
"""


_NAMESPACES = """
# NOTE: The namespace sharing for a pod has been modified by the user and is not the same as the
# default settings for kubernetes. This can lead to unexpected behavior when running the generated
# kube yaml in a kubernetes cluster.
"""
_SHARED = ("ipc", "net", "uts")  # which every pod in Kubernetes shares
_SHORT_ID = 12


class Generated:
    """The documents, in the order that a cluster needs, and notes on them."""

    def __init__(self) -> None:
        self.claims: list[Document] = []
        self.configmaps: dict[str, Document] = {}  # by name
        self.services: list[Document] = []
        self.workloads: list[Document] = []
        self.notes: list[str] = []

    @property
    def documents(self) -> list[Document]:
        """All documents: claims, ConfigMaps, Services, then workloads."""
        return [*self.claims, *self.configmaps.values(), *self.services, *self.workloads]

    def text(self) -> str:
        """Return them as one YAML text, with Podman's comments."""
        from podpy.kube.generate.text import dump

        return _HEAD + "---\n".join([*self.notes, *map(dump, self.documents)])


def generate(runtime: Runtime, names: Sequence[str], options: Options) -> Generated:
    """Return the documents for containers, pods and volumes, each given by name or id. The containers become one pod.

    Raises UsageError, NotFoundError, AmbiguousNameError; nothing is changed.
    """
    options = options.replace(kind=options.kind or runtime.conf.kube_generate_type)
    if options.replicas > 1 and options.kind != "deployment":
        raise UsageError("--replicas can only be set when --type is set to deployment")
    if options.replicas < 1:
        raise UsageError("--replicas has to be greater than or equal to 1. By default, --replicas is set to 1")
    containers, pods, volumes = _look_up(runtime, names)
    now = rfc3339(int(time()) * SECOND, utc=True)
    made = Generated()
    made.claims = [kinds.volume_claim(volume, now, options) for volume in volumes]
    for found in pods:
        if not {*_SHARED} <= {*found.spec.share}:
            made.notes = [_NAMESPACES]
        _add(made, pod(group_of(runtime, found), options, now), options)
        for name, data in found.spec.configmaps.items():
            made.configmaps[name] = kinds.configmap(name, data, now)
    if containers:
        members = [source_of(runtime, container) for container in containers]
        _add(made, pod(Group(name=members[0].name, members=members), options, now), options)
        if _has_volumes(made.workloads[-1]):
            made.notes.append(_SELINUX)
    return made


def _look_up(runtime: Runtime, names: Sequence[str]) -> tuple[list[Container], list[Pod], list[Volume]]:
    """Return the object of each name: a container, else a pod, else a volume."""
    containers: list[Container] = []
    pods: list[Pod] = []
    volumes: list[Volume] = []
    for name in names:
        try:
            containers.append(_free(runtime.container(name)))
        except NoSuchContainerError:
            try:
                pods.append(runtime.pods.get(name))
            except NoSuchPodError:
                try:
                    volumes.append(runtime.volumes.get(name))
                except NoSuchVolumeError:
                    raise NotFoundError(f'name or ID "{name}" not found') from None
    return containers, pods, volumes


def _free(container: Container) -> Container:
    pod = container.spec.pod
    if pod:
        raise UsageError(f"container {container.id} is associated with pod {pod}: use generate on the pod itself")
    return container


def _add(made: Generated, document: Document, options: Options) -> None:
    made.workloads.append(kinds.of_kind(document, options))
    if options.for_service:
        made.services.append(kinds.service(document))


def _has_volumes(document: Document) -> bool:
    spec = document["spec"]
    return "volumes" in spec.get("template", document)["spec"]


def group_of(runtime: Runtime, pod: Pod) -> Group:
    """Return a pod as plain data. Raises UsageError for one without containers, and as `source_of`."""
    infra_id = pod.row.infra_id
    found = pod.containers()
    members = [source_of(runtime, each) for each in found if each.id != infra_id]
    if not members:
        what = "only has an infra container" if infra_id else "has no containers"
        raise UsageError(f"pod {pod.id} {what}")
    infra = next((source_of(runtime, each) for each in found if each.id == infra_id), None)
    usual_name = f"{pod.id[:_SHORT_ID]}-infra"
    return Group(
        name=pod.name,
        members=members,
        is_pod=True,
        labels=pod.spec.labels,
        infra=infra,
        infra_name=infra.name if infra is not None and infra.name != usual_name else "",
        share=pod.spec.share if infra is not None else [],
        restart_policy=pod.spec.restart_policy,
    )


def source_of(runtime: Runtime, container: Container) -> Source:
    """Return a container as plain data. Raises as `origin.user_ids`, ImageError."""
    spec = container.spec
    return Source(
        id=container.id,
        name=container.name,
        spec=spec,
        image_name=container.row.image_name,
        image=origin.image_config(container),
        ports=origin.host_ports(container),
        ids=None if spec.is_infra else origin.user_ids(container),
        volumes={mount.source: runtime.volumes.get(mount.source) for mount in spec.mounts if mount.type == "volume"},
        usual=with_defaults(ContainerSpec(network=spec.network), runtime.conf, {}, rootless=True),
    )
