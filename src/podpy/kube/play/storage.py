"""Claims → volumes, Secrets → secrets, and the volumes of one pod."""

from __future__ import annotations

import os
import re

import yaml

from podpy.errors import InUseError, NoSuchSecretError, PodpyError, UsageError
from podpy.kube.translate.volumes import CLAIM, EMPTY, FILES
from podpy.numbers import LARGEST_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from podpy.kube.play.made import Made
    from podpy.kube.reading.objects import Object
    from podpy.kube.translate.containers import Member
    from podpy.kube.translate.volumes import Volume
    from podpy.libpod.runtime import Runtime

_PREFIX = "volume.podman.io/"
_DRIVER_OPTIONS = {"device": "device", "type": "type", "mount-options": "o", "image": "image"}
_IMMUTABLE = "immutable"
_MIXED = 0o2000  # new files get the directory's group
_GROUP_READS = 0o440


# Of the store


def make_claim(runtime: Runtime, claim: Object, made: Made) -> str:
    """Create the volume of a PersistentVolumeClaim, unless it exists, and return its name.

    Annotations volume.podman.io/… set its driver, options, owner, and a tar to fill it from. Raises as Volumes.create.
    """
    said = {
        key.removeprefix(_PREFIX): value
        for key, value in claim.metadata.get("annotations", {}).items()
        if key.startswith(_PREFIX)
    }
    if runtime.volumes.exists(claim.name):
        return claim.name
    try:
        runtime.volumes.create(
            claim.name,
            labels=claim.metadata.get("labels", {}),
            options={name: said[key] for key, name in _DRIVER_OPTIONS.items() if key in said},
            driver=said.get("driver", "local"),
            uid=_id(claim, said, "uid"),
            gid=_id(claim, said, "gid"),
            part_of=made.work,
        )
    except InUseError:
        return claim.name  # another call has just created it
    except PodpyError as error:
        raise claim.value.wrong("metadata", error.message, hint=error.hint) from None
    if "import-source" in said:
        if claim.is_remote:
            raise claim.value.wrong("metadata", f"a file from elsewhere can't fill a volume ({_PREFIX}import-source)")
        try:
            runtime.volumes.import_(claim.name, said["import-source"])
        except PodpyError as error:
            raise claim.value.wrong("metadata", f"annotation {_PREFIX}import-source: {error.message}") from None
    return claim.name


def make_secret(runtime: Runtime, secret: Object, made: Made) -> str:
    """Store a Secret, replacing one of its name, and return its id. Its data is the Secret's YAML, as in Podman.

    Raises UsageError if the replaced one is immutable.
    """
    before: bytes | None = None
    labels: dict[str, str] = {}
    try:
        other = runtime.secrets.get(secret.name)
    except NoSuchSecretError:
        other = None
    if other is not None and other.name == secret.name:
        labels = dict(other.labels)
        if labels.get(_IMMUTABLE) == "true":
            raise secret.value.wrong("metadata", "cannot remove colliding secret as it is set to immutable")
        before = runtime.secrets.data(other.id)
    own = {_IMMUTABLE: "true"} if secret.value.get("immutable") else {}
    try:
        found = runtime.secrets.create(
            secret.name, _document(secret), labels=own, replace=before is not None, part_of=made.work
        )
    except UsageError as error:
        raise secret.value.wrong("metadata", error.message, hint=error.hint) from None
    if before is not None:
        data = before
        made.add(lambda: runtime.secrets.create(secret.name, data, labels=labels, replace=True))
    return found.id


def _document(secret: Object) -> bytes:
    import base64

    value = secret.value
    data = {key: base64.b64encode(each).decode() for key, each in value.get("data", {}).items()}
    document: dict[str, Any] = {
        "apiVersion": value.get("apiVersion", "v1"),
        "data": data,
        "kind": "Secret",
        "metadata": {"creationTimestamp": None, "name": secret.name},
        "stringData": dict(value.get("stringData", {})),
        "type": value.get("type", ""),
    }
    shown = {key: each for key, each in document.items() if each}
    return yaml.safe_dump(shown, allow_unicode=True).encode()


def _id(claim: Object, said: Mapping[str, str], key: str) -> int | None:
    text = said.get(key)
    if text is not None and not (re.fullmatch("[0-9]{1,10}", text) and int(text) <= LARGEST_ID):
        raise claim.value.wrong("metadata", f"annotation {_PREFIX}{key}: cannot convert {text} to integer")
    return None if text is None else int(text)


# Of a pod


def make_volumes(
    runtime: Runtime,
    infra_id: str,
    volumes: Iterable[Volume],
    members: Sequence[Member],
    group: int | None,
    made: Made,
) -> dict[str, str]:
    """Create the missing volumes that a pod's containers mount; return the names of the pod's own volumes, by the
    YAML's. `group`: the fsGroup. Raises UsageError, StorageError.
    """
    mounted = {mount.source for member in members for mount in member.spec.mounts if mount.type == "volume"}
    names: dict[str, str] = {}
    for volume in volumes:
        if volume.kind == CLAIM and volume.source in mounted and not runtime.volumes.exists(volume.source):
            runtime.volumes.create(volume.source, ignore=True, part_of=made.work)
        elif volume.kind in (EMPTY, FILES) and volume.name in mounted:
            names[volume.name] = runtime.volumes.create_for(
                infra_id,
                [(file.path, file.data, file.mode | (_GROUP_READS if group else 0)) for file in volume.files],
                options=_memory(volume) if volume.in_memory else {},
                group=group or 0,
                mode=(volume.mode if volume.kind == EMPTY else 0o755) | (_MIXED if group else 0),
            )
    return names


def make_subpaths(
    runtime: Runtime,
    infra_id: str,
    volumes: Iterable[Volume],
    names: Mapping[str, str],
    members: Iterable[Member],
    group: int | None,
) -> None:
    """Create the missing directories that containers mount as subPaths of empty volumes and claims.

    `names`: podpy's names of volumes, by the YAML's.
    """
    of_files = {names[volume.name] for volume in volumes if volume.kind == FILES and volume.name in names}
    wanted: dict[str, list[str]] = {}
    for member in members:
        for mount in member.spec.mounts:
            if mount.type == "volume" and mount.subpath and mount.source not in of_files:
                wanted.setdefault(mount.source, []).append(mount.subpath)
    for name, paths in wanted.items():
        runtime.volumes.make_directories(infra_id, name, paths, group=group or 0)


def _memory(volume: Volume) -> dict[str, str]:
    size = f",size={volume.size}" if volume.size else ""
    return {"type": "tmpfs", "device": "tmpfs", "o": f"mode={0o1000 | volume.mode:o}{size}"}


def memory_of_machine() -> int:
    """Return this machine's memory in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
