"""`kube generate`: containers, pods and volumes as documents for a cluster, and their text."""

from __future__ import annotations

from time import time

from podpy.errors import NoSuchContainerError, NoSuchVolumeError, NotFoundError, UsageError
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


class Generated:
    """The documents for some names, in the order in which a cluster must get them, and remarks on them."""

    def __init__(self) -> None:
        self.claims: list[Document] = []
        self.services: list[Document] = []
        self.workloads: list[Document] = []
        self.notes: list[str] = []

    @property
    def documents(self) -> list[Document]:
        """All of them: claims, Services, then what runs."""
        return [*self.claims, *self.services, *self.workloads]

    def text(self) -> str:
        """Return them as one YAML text, with Podman's comments."""
        from podpy.kube.generate.text import dump

        return _HEAD + "---\n".join([*self.notes, *map(dump, self.documents)])


def generate(runtime: Runtime, names: Sequence[str], options: Options) -> Generated:
    """Return the documents for containers, pods and volumes, each given by name or id. All containers are one pod.

    Raises UsageError, NotFoundError, AmbiguousNameError; nothing is changed.
    """
    options = options.replace(kind=options.kind or runtime.conf.kube_generate_type)
    if options.replicas > 1 and options.kind != "deployment":
        raise UsageError("--replicas can only be set when --type is set to deployment")
    if options.replicas < 1:
        raise UsageError("--replicas has to be greater than or equal to 1. By default, --replicas is set to 1")
    containers, volumes = _look_up(runtime, names)
    now = rfc3339(int(time()) * SECOND, utc=True)
    made = Generated()
    made.claims = [kinds.volume_claim(volume, now, options) for volume in volumes]
    if containers:
        members = [source_of(runtime, container) for container in containers]
        _add(made, pod(Group(name=members[0].name, members=members), options, now), options)
        if made.workloads and _has_volumes(made.workloads[0]):
            made.notes.append(_SELINUX)
    return made


def _look_up(runtime: Runtime, names: Sequence[str]) -> tuple[list[Container], list[Volume]]:
    containers: list[Container] = []
    volumes: list[Volume] = []
    for name in names:
        try:
            containers.append(runtime.container(name))
            continue
        except NoSuchContainerError:
            pass
        try:
            volumes.append(runtime.volumes.get(name))
        except NoSuchVolumeError:
            raise NotFoundError(f'name or ID "{name}" not found') from None
    return containers, volumes


def _add(made: Generated, document: Document, options: Options) -> None:
    made.workloads.append(kinds.of_kind(document, options))
    if options.for_service:
        made.services.append(kinds.service(document))


def _has_volumes(document: Document) -> bool:
    spec = document["spec"]
    return "volumes" in spec.get("template", document)["spec"]


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
        ids=origin.user_ids(container),
        usual=with_defaults(ContainerSpec(network=spec.network), runtime.conf, {}, rootless=True),
    )
