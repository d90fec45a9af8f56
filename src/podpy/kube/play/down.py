"""Removes the pods of Kubernetes objects, their secrets, and with `force` the volumes of their claims."""

from __future__ import annotations

from podpy.errors import NoSuchPodError, NoSuchSecretError, NoSuchVolumeError, PodpyError
from podpy.kube.play.workloads import replica_names
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from podpy.kube.reading.objects import Object
    from podpy.libpod.pods.pod import Pod
    from podpy.libpod.runtime import Runtime
    from podpy.yaml.places import Mapping


class Down(Record):
    """The removed pods and secrets (ids) and volumes (names); and errors."""

    stopped: list[str] = []
    pods: list[str] = []
    secrets: list[str] = []
    volumes: list[str] = []
    errors: list[PodpyError] = []


def down(runtime: Runtime, objects: Sequence[Object], *, force: bool = False) -> Down:
    """Stop and remove the objects' pods and secrets that exist.

    `force`: also the volumes of their claims.
    """
    found = [pod for name in _pod_names(objects) if (pod := _pod(runtime, name)) is not None]
    errors: list[PodpyError] = []
    outcomes = [*runtime.pods.stop_several((pod.name, pod) for pod in found)]
    gone = {pod for _, pod, error in outcomes if isinstance(error, NoSuchPodError)}  # another call has removed them
    outcomes = [each for each in outcomes if each[1] not in gone]
    found = [pod for pod in found if pod.id not in gone]
    stopped = [pod for _, pod, error in outcomes if error is None]
    errors += [error for _, _, error in outcomes if error is not None]
    removed = [pod.id for pod in found if _tried(lambda pod=pod: _remove(pod), errors)]
    secrets = [*_removed_secrets(runtime, (each.name for each in objects if each.kind == "Secret"), errors)]
    volumes = [*_removed_volumes(runtime, _claims(objects), errors)] if force else []
    return Down(stopped=stopped, pods=removed, secrets=secrets, volumes=volumes, errors=errors)


def _pod_names(objects: Iterable[Object]) -> list[str]:
    """Return the names that the objects' pods may have, with and without --multiple-pods."""
    names: dict[str, None] = {}
    for each in objects:
        if each.kind == "Pod":
            names[each.name] = None
        elif each.kind in ("Deployment", "DaemonSet", "Job"):
            names.update(dict.fromkeys([f"{each.name}-pod", *replica_names(each)]))
    return list(names)


def _pod(runtime: Runtime, name: str) -> Pod | None:
    """Return the pod of exactly this name; a prefix or an id could be another pod's."""
    try:
        pod = runtime.pods.get(name)
    except NoSuchPodError:
        return None
    return pod if pod.name == name else None


def _remove(pod: Pod) -> None:
    try:
        pod.remove(force=True)
    except NoSuchPodError:
        pass  # another call has removed it


def _tried(work: object, errors: list[PodpyError]) -> bool:
    assert callable(work)
    try:
        work()
    except PodpyError as error:
        errors.append(error)
        return False
    return True


def _removed_secrets(runtime: Runtime, names: Iterable[str], errors: list[PodpyError]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        try:
            secret = runtime.secrets.get(name)
            if secret.name == name:
                runtime.secrets.remove(secret.id)
                yield secret.id
        except NoSuchSecretError:
            continue
        except PodpyError as error:
            errors.append(error)


def _removed_volumes(runtime: Runtime, names: Iterable[str], errors: list[PodpyError]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if not runtime.volumes.exists(name):
            continue
        try:
            yield runtime.volumes.remove(name)
        except NoSuchVolumeError:
            continue
        except PodpyError as error:
            errors.append(error)


def _claims(objects: Iterable[Object]) -> Iterator[str]:
    """Yield the names of declared claims, and of claims that pods mount."""
    for each in objects:
        if each.kind == "PersistentVolumeClaim":
            yield each.name
        elif (spec := _pod_spec(each)) is not None:
            for volume in spec.get("volumes", []):
                if name := volume.get("persistentVolumeClaim", {}).get("claimName"):
                    yield name


def _pod_spec(each: Object) -> Mapping | None:
    spec: Mapping | None = each.value.get("spec")
    if each.kind in ("Deployment", "DaemonSet", "Job") and spec is not None:
        spec = spec.get("template", {}).get("spec")
    return spec if each.kind != "ConfigMap" else None
