"""`podpy generate systemd`: containers and pods as units of systemd. Quadlet files are the better way.

A container's create command is read by whom it was typed to: the command line passes a `Reader`.
"""

from __future__ import annotations

import os
from itertools import pairwise
from time import localtime, strftime

from podpy.errors import NoSuchContainerError, NoSuchPodError, UsageError
from podpy.libpod.containers.held import Held, find
from podpy.libpod.pods.held import HeldPod
from podpy.libpod.pods.table import PodTable
from podpy.monitor.files import MONITOR
from podpy.notice import warn
from podpy.record import Record
from podpy.systemd.generated import ContainerUnit, PodUnit, check_policy, container_text, pod_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podpy.libpod.engine import Engine

_UNLESS_STOPPED = "unless-stopped"


class Wanted(Record):
    """What the caller asks of the units; None: not said."""

    podpy: str  # the program's path
    new: bool = False
    name: bool = False
    is_template: bool = False
    header: bool = True
    container_prefix: str = "container"
    pod_prefix: str = "pod"
    separator: str = "-"
    restart_policy: str | None = None
    restart_sec: int = 0
    start_timeout: int = 0
    stop_timeout: int | None = None
    wants: Sequence[str] = ()
    after: Sequence[str] = ()
    requires: Sequence[str] = ()
    env: Sequence[str] = ()


class Created(Record):
    """What a create command says: `podpy ROOT_FLAGS run OPTIONS REST`."""

    root_flags: Sequence[str]
    options: Sequence[Sequence[str]]  # each with its words: ("-p", "80:80"), ("--rm",)
    rest: Sequence[str]  # image and command
    values: dict[str, Any]  # options by name, without dashes, as the parser reads them


def generate(engine: Engine, name: str, wanted: Wanted, read: Callable[[Sequence[str]], Created]) -> dict[str, str]:
    """Return the units' texts by their names without .service; of a pod its own first.

    `read` reads a create command. Raises NoSuchContainerError, UsageError.
    """
    if wanted.restart_policy is not None:
        check_policy(wanted.restart_policy)
    try:
        container = find(engine, name)
    except NoSuchContainerError as no_container:
        try:
            pod = HeldPod(engine, PodTable(engine.database).find(name))
        except NoSuchPodError as no_pod:
            told = f"{name} does not refer to a container or pod: {no_pod.message}: {no_container.message}"
            raise NoSuchContainerError(told, hint="See: podpy ps --all; podpy pod ps") from None
        return _of_pod(pod, wanted, read)
    unit = _container_unit(container, wanted, read)
    return {unit.service + ("@" if wanted.is_template else ""): container_text(unit)}


def _common(engine: Engine, wanted: Wanted, stop_timeout: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "podpy": wanted.podpy,
        "restart_sec": wanted.restart_sec,
        "stop_timeout": stop_timeout if wanted.stop_timeout is None else wanted.stop_timeout,
        "wants": wanted.wants,
        "after": wanted.after,
        "requires": wanted.requires,
        "made": _now() if wanted.header else "",
    }
    if wanted.restart_policy is not None:
        found["restart"] = wanted.restart_policy
    return found


def _now() -> str:
    """Return the time as date(1) prints it."""
    now = localtime()
    return strftime("%a %b %e %H:%M:%S ", now) + (now.tm_zone or "UTC") + strftime(" %Y", now)


def _service(prefix: str, wanted: Wanted, name: str) -> str:
    return f"{prefix}{wanted.separator}{name}" if prefix else name


def _container_service(container: Held, wanted: Wanted) -> str:
    return _service(wanted.container_prefix, wanted, container.name if wanted.name else container.id)


def _pid_file(container: Held) -> str:
    return container.spec.conmon_pidfile or os.path.join(container.engine.run_directory(container.id), MONITOR)


def _container_unit(
    container: Held, wanted: Wanted, read: Callable[[Sequence[str]], Created], **more: Any
) -> ContainerUnit:
    spec, engine = container.spec, container.engine
    if spec.init_container:
        raise UsageError(f"unsupported container {container.id}: cannot generate systemd units for init containers")
    fields: dict[str, Any] = {
        **_common(engine, wanted, spec.stop_timeout),
        "service": _container_service(container, wanted),
        "container": container.name if wanted.name else container.id,
        "start_timeout": wanted.start_timeout,
        "additional": wanted.env,
        **more,
    }
    if wanted.new:
        fields.update(_made_anew(container, wanted, read, in_pod=bool(more.get("pod_id_file"))))
        return ContainerUnit(**fields, is_template=wanted.is_template)
    if spec.restart_policy not in ("", "no"):
        warn(
            f'Container {container.id} has restart policy "{spec.restart_policy}" which can lead to issues on shutdown:'
            " consider recreating the container without a restart policy and use systemd's restart mechanism instead"
        )
    return ContainerUnit(**fields, pid_file=_pid_file(container), mounts_for=engine.paths.runroot)


def _made_anew(
    container: Held, wanted: Wanted, read: Callable[[Sequence[str]], Created], *, in_pod: bool
) -> dict[str, Any]:
    """Return the fields of a unit that makes the container anew at each start."""
    spec = container.spec
    if not spec.create_command:
        raise UsageError(
            f'cannot use --new on container "{container.id}": no create command found: only works on containers '
            "created directly with podpy but not via REST API"
        )
    created = read(spec.create_command)
    left_out = {"--rm", "--cgroups", "--cidfile", "--restart"}
    if in_pod:
        left_out |= {"--pod", "--pod-id-file", "--infra-conmon-pidfile"}
    set_here = []
    if created.values.get("sdnotify") in (None, "ignore"):  # nobody else would tell systemd that it is ready
        left_out.add("--sdnotify")
        set_here.append("--sdnotify=conmon")
    if not created.values.get("detach"):
        left_out |= {"--detach", "-d"}
        set_here.append("-d")
    if created.values.get("name") is not None and not created.values.get("replace"):
        left_out.add("--replace")
        set_here.append("--replace")
    words = [
        word
        for option in created.options
        if option[0].partition("=")[0] not in left_out
        for word in option
    ]  # fmt: skip
    return {
        "run": [*words, *created.rest],
        "root_flags": created.root_flags,
        "set_here": set_here,
        "variables": [f"{name}={spec.env[name]}" for name in created.values.get("env") or () if name in spec.env],
        **(_policy(created.values.get("restart")) if wanted.restart_policy is None else {}),
    }


def _policy(restart: str | None) -> dict[str, str]:
    """Return the unit's restart policy for the container's."""
    if not restart:
        return {}
    policy, _, burst = restart.partition(":")
    found = {"restart": "always" if policy == _UNLESS_STOPPED else policy}
    return {**found, "start_limit_burst": burst} if burst else found


def _of_pod(pod: HeldPod, wanted: Wanted, read: Callable[[Sequence[str]], Created]) -> dict[str, str]:
    if wanted.is_template:
        raise UsageError("--template is not supported for pods")
    infra = next((each for each in pod.held() if each.id == pod.row.infra_id), None)
    if infra is None:
        raise UsageError(f'generating systemd unit files: Pod "{pod.name}" has no infra container')
    members = [each for each in pod.held() if each.id != infra.id]
    service = _service(wanted.pod_prefix, wanted, pod.name if wanted.name else pod.id)
    unit = PodUnit(
        **_common(pod.engine, wanted, infra.spec.stop_timeout),
        service=service,
        infra=infra.name if wanted.name else infra.id,
        members=[_container_service(each, wanted) for each in members],
        mounts_for=pod.engine.paths.runroot,
        **(_pod_made_anew(pod, read) if wanted.new else {}),
        pid_file=_pid_file(infra),
    )
    texts = {service: pod_text(unit)}
    services = {each.id: _container_service(each, wanted) for each in members} | {infra.id: service}
    for each in members:
        needs = {infra.id, *each.spec.requires, *(owner for _kind, owner in each.spec.joins())}
        bound = sorted(services[need] for need in needs if need in services and need != each.id)
        more = {"bound_to": bound, "pod_id_file": unit.pod_id_file if wanted.new else ""}
        texts[services[each.id]] = container_text(_container_unit(each, wanted, read, **more))
    return texts


def _pod_made_anew(pod: HeldPod, read: Callable[[Sequence[str]], Created]) -> dict[str, Any]:
    command = pod.spec.create_command
    if not command:
        raise UsageError(f'cannot use --new on pod "{pod.id}": no create command found')
    if ("pod", "create") not in pairwise(command):
        raise UsageError(f"pod does not appear to be created via `podman pod create`: [{' '.join(command)}]")
    created = read(command)
    replaced = bool(created.values.get("replace"))
    left_out = {"--pod-id-file", "--infra-conmon-pidfile", *([] if replaced else ["--replace"])}
    words = [word for option in created.options if option[0].partition("=")[0] not in left_out for word in option]
    if created.values.get("name") is not None and not replaced:
        words.append("--replace")
    return {"is_new": True, "root_flags": created.root_flags, "create": [*words, *created.rest]}
