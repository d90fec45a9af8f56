"""The spec of a pod's infra container: it owns the namespaces that the pod shares, and does nothing else."""

from __future__ import annotations

from podpy.libpod.pods import root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec
    from podpy.spec.pod import PodSpec

_SHORT = 12


def spec_of(engine: Engine, pod: PodSpec, pod_id: str) -> ContainerSpec:
    """Return the infra container's spec; `pod` is complete, with its name."""
    asked = pod.container
    image = pod.infra_image or engine.conf.infra_image
    command = pod.infra_command or ([engine.conf.infra_command] if engine.conf.infra_command else [])
    changes: dict[str, Any] = {
        "name": pod.infra_name or f"{pod_id[:_SHORT]}-infra",
        "pod": pod_id,
        "is_infra": True,
        "hostname": asked.hostname if asked.uts == "host" else asked.hostname or pod.hostname or pod.name,
        "annotations": {**pod.annotations, **asked.annotations},
        "conmon_pidfile": pod.infra_conmon_pidfile,
        "cgroup_parent": pod.cgroup_parent,
        "in_pod_cgroup": pod.share_parent,
        "restart_policy": "",
        "sdnotify": "ignore",
        "entrypoint": command or None,
    }
    if pod.shm_size is not None:
        changes["shm_size"] = pod.shm_size
    for word, field in (("ipc", "ipc"), ("pid", "pid"), ("cgroup", "cgroupns")):
        if word in pod.share and getattr(asked, field) is None:
            changes[field] = "shareable" if word == "ipc" else "private"
    return asked.replace(**{**changes, **_program(engine, image, command)})


def service_spec_of(engine: Engine, name: str, exit_code: str) -> ContainerSpec:
    """Return what a service container is asked to be; `exit_code`: one of spec.pod.EXIT_CODES."""
    from podpy.libpod.pods.service import ARGUMENT
    from podpy.spec.container import ContainerSpec

    program = _program(engine, "", [root.PROGRAM, ARGUMENT])
    return ContainerSpec(
        name=name,
        network="none",
        is_service=True,
        service_exit=exit_code,
        sdnotify="conmon",
        **program,
    )


def _program(engine: Engine, image: str, command: list[str]) -> dict[str, Any]:
    """Return the fields of what runs: an image's program, or podpy's `pause` in podpy's root directory."""
    if image:
        return {"image": image}
    return {
        "rootfs": root.ready(engine),
        "entrypoint": command or [root.PROGRAM],
        "devices": [],  # they are the other containers': it has no place for them
        "cdi_devices": [],
        "gpus": [],
        "read_only": True,
        "read_only_tmpfs": False,
        "passwd": False,
        "cap_drop": ["ALL"],
        "no_new_privileges": True,
        "http_proxy": False,
        "log_driver": "none",
    }
