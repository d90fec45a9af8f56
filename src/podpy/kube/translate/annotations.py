"""Annotations: which of a file's reach the engine. This is an allow-list, since a file may come from anywhere.

A descriptive annotation is kept. One that steers the OCI runtime or the engine (run.oci.*, io.podman.annotations.*) is
kept only if it is listed here. The user's own --annotation is always kept.
"""

from __future__ import annotations

import re

from podpy.errors import UsageError
from podpy.spec.text.limits import check_cpuset, ulimits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

PODMAN = "io.podman.annotations."
USERNS = f"{PODMAN}userns"
INFRA_NAME = f"{PODMAN}infra.name"
INIT_TYPE = f"{PODMAN}init.container.type"
VOLUMES_FROM = f"{PODMAN}volumes-from"
HEALTH_CHECK = f"{PODMAN}kube.health.check"
SANDBOX = "io.kubernetes.cri-o.SandboxID"
_UPDATE = ("io.containers.autoupdate", "io.containers.autoupdate.authfile")
_OF_PODMAN = frozenset(
    f"{PODMAN}{name}"
    for name in (
        *("autoremove", "cpuset", "infra.name", "init", "init.container.type", "kube.health.check", "label"),
        *("memory-nodes", "pids-limit", "ulimit", "userns", "volumes-from"),
    )
)
_ENGINE = (
    *("run.oci.", "io.podman.", "io.kubernetes.cri-o.", "io.container.", "io.crun.", "module.wasm.", "org.criu."),
    "org.systemd.property.",  # the OCI runtimes set these on the container's systemd unit
    *("dev.gvisor.", "io.katacontainers."),
)
_MOST_BYTES = 256 << 10  # Kubernetes' limit (apimachinery, validation of object metadata)


def allowed(given: Mapping[str, str], added: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return a file's allowed annotations with the user's own `added`; and the keys that were dropped.

    Raises UsageError if they are too large.
    """
    kept = {key: value for key, value in given.items() if not _steers(key)}
    found = {**kept, **added}
    if sum(len(key.encode()) + len(value.encode()) for key, value in found.items()) > _MOST_BYTES:
        raise UsageError(f"annotations are larger than {_MOST_BYTES} bytes")
    return found, [key for key in given if key not in kept]


def _steers(key: str) -> bool:
    return key.startswith(_ENGINE) and key.partition("/")[0] not in _OF_PODMAN


def fields(annotations: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the fields of ContainerSpec from the annotations of the container `name`. Raises UsageError."""

    def own(key: str) -> str:
        return annotations.get(f"{PODMAN}{key}/{name}", "")

    found: dict[str, Any] = {}
    for key, field in (("init", "init"), ("autoremove", "remove")):
        if own(key):
            found[field] = _boolean(f"{PODMAN}{key}/{name}", own(key))
    if text := annotations.get(f"{PODMAN}ulimit", ""):
        try:
            found["ulimits"] = ulimits(text.split(","))
        except UsageError as error:
            raise UsageError(f"annotation {PODMAN}ulimit: {error.message}", hint=error.hint) from None
    return found


def limits(annotations: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the fields of Resources from the annotations of the container `name`. Raises UsageError."""
    found: dict[str, Any] = {}
    if text := annotations.get(f"{PODMAN}pids-limit/{name}", ""):
        if not re.fullmatch("-?[0-9]{1,18}", text):
            raise UsageError(f'annotation {PODMAN}pids-limit/{name}: "{text[:40]}" is no number')
        found["pids_limit"] = int(text)
    for key, field in (("cpuset", "cpuset_cpus"), ("memory-nodes", "cpuset_mems")):
        if text := annotations.get(f"{PODMAN}{key}/{name}", ""):
            found[field] = check_cpuset(f"{PODMAN}{key}", text)
    return found


def security_label(annotations: Mapping[str, str], name: str) -> list[str]:
    """Return the SELinux label from the annotations of the container `name`."""
    text = annotations.get(f"{PODMAN}label/{name}", "")
    return [text] if text else []


def volumes_from(annotations: Mapping[str, str], name: str, others: Collection[str]) -> list[str]:
    """Return the containers (with :OPTIONS) of the same pod whose mounts `name` gets, by their names in the YAML.

    Raises UsageError for a container that isn't created before it.
    """
    key = f"{VOLUMES_FROM}/{name}"
    found = [text for text in annotations.get(key, "").split(";") if text]
    for text in found:
        other = text.partition(":")[0]
        if other == name or other not in others:
            raise UsageError(f'annotation {key}: "{other}" is not a container of the pod that is created before {name}')
    return found


def labels(annotations: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the labels for auto-update from the annotations of all containers, or of `name`."""
    asked = {key: annotations.get(f"{key}/{name}", annotations.get(key, "")) for key in _UPDATE}
    return {key: value for key, value in asked.items() if value}


def _boolean(key: str, text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0", "t", "f"):
        raise UsageError(f'annotation {key}: "{text}" is neither true nor false')
    return text.lower() in ("true", "1", "t")
