"""One container of a pod (Kubernetes: core/v1, Container)."""

from __future__ import annotations

from podpy.kube.generate import names, quantities, security
from podpy.kube.generate.probes import lifecycle, probes
from podpy.kube.generate.words import known, literal
from podpy.notice import warn
from podpy.spec.proxies import DEFAULT_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from podpy.kube.generate.source import Options, Source
    from podpy.kube.generate.volumes import Volumes
    from podpy.spec.container import PortMapping, Resources

_USUAL = {"container": "podman", "TERM": "xterm", "PATH": DEFAULT_PATH}
"""Variables that an engine sets by itself, and their values."""
_PERIOD = 100_000  # microseconds, the kernel's
_GPU = "nvidia.com/gpu"


def container(source: Source, name: str, volumes: Volumes, options: Options) -> dict[str, Any]:
    """Return the container's fields. What an image says by itself isn't repeated, as in Podman.

    Raises UsageError for what YAML can't hold.
    """
    spec = source.spec
    _tell_of_secrets(source)
    return known(
        name=name,
        image=source.image_name,
        **_command(source),
        workingDir=spec.workdir if spec.workdir not in ("", "/", source.image.workdir) else None,
        env=_variables(source),
        ports=[] if spec.network == "host" else ports(source.ports, options),
        resources=_resources(spec.resources, _graphics(source, options)),
        securityContext=security.context(source),
        stdin=True if spec.stdin_open else None,
        tty=True if spec.tty else None,
        volumeMounts=volumes.mounts_of(source),
        lifecycle=lifecycle(spec),
        **probes(spec.health),
    )


def _tell_of_secrets(source: Source) -> None:
    for use in source.spec.secrets:
        warn(f"container {source.name}: the secret {use.name} isn't in the YAML: make it where the YAML is used")


def _command(source: Source) -> dict[str, Any]:
    """Return `command` and `args`, which are the entrypoint and its arguments; nothing where the image says the same.

    A command without an entrypoint goes to `command`, as in Podman: the file is for clusters, where `args` would be
    the arguments of the image's entrypoint.
    """
    spec, image = source.spec, source.image
    entrypoint = spec.entrypoint or []
    if not entrypoint:
        is_images = not image.entrypoint and spec.command == image.cmd
        return {} if is_images else {"command": [*map(literal, spec.command)]}
    arguments = spec.command[len(entrypoint) :] if spec.command[: len(entrypoint)] == entrypoint else spec.command
    return {
        "command": [] if entrypoint == image.entrypoint else [*map(literal, entrypoint)],
        "args": [*map(literal, arguments)],
    }


def _variables(source: Source) -> list[dict[str, str]]:
    of_image = dict(item.partition("=")[::2] for item in source.image.env)
    usual = {**_USUAL, **of_image}
    found = {name: value for name, value in source.spec.env.items() if usual.get(name) != value}
    if source.own_hostname:
        found.setdefault("HOSTNAME", source.own_hostname)
    return [{"name": literal(name), "value": literal(value)} for name, value in found.items()]


def ports(mappings: Iterable[PortMapping], options: Options) -> list[dict[str, Any]]:
    """Return each port of the ranges; TCP isn't named, and with a Service no port is the host's."""
    return [
        known(
            containerPort=mapping.container_port + place,
            hostIP=mapping.host_ip,
            hostPort=mapping.host_port + place if mapping.host_port and not options.for_service else None,
            protocol=mapping.protocol.upper() if mapping.protocol != "tcp" else None,
        )
        for mapping in mappings
        for place in range(mapping.count)
    ]


def _resources(asked: Resources, further: dict[str, str]) -> dict[str, Any]:
    """Return limits, and requests where something is reserved. An API server refuses requests above the limits."""
    memory = asked.memory if asked.memory and asked.memory > 0 else None
    milli = _milli(asked)
    reserved = asked.memory_reservation or 0
    share = quantities.milli_of_shares(asked.cpu_shares or 0)
    limits = known(
        cpu=quantities.cpus(milli) if milli else None,
        memory=quantities.memory(memory) if memory else None,
    )
    requests = known(
        cpu=quantities.cpus(share) if 0 < share <= (milli or share) else None,
        memory=quantities.memory(reserved) if 0 < reserved <= (memory or reserved) else None,
    )
    return known(limits={**limits, **further}, requests=requests)


def _milli(asked: Resources) -> int:
    """Return the limit in thousandths of a CPU; there is nothing finer."""
    if asked.cpus:
        return int(asked.cpus * 1000)
    if asked.cpu_quota and asked.cpu_quota > 0:
        return asked.cpu_quota * 1000 // (asked.cpu_period or _PERIOD)
    return 0


def _graphics(source: Source, options: Options) -> dict[str, str]:
    """Return CDI devices as extended resources: how many of a kind; for Podman alone each by its name."""
    spec = source.spec
    devices = dict.fromkeys([*spec.cdi_devices, *(f"{_GPU}={name}" for name in spec.gpus)])
    if options.podman_only:
        return dict.fromkeys(devices, "1")
    kinds = [device.partition("=")[0] for device in devices]
    return {kind: str(kinds.count(kind)) for kind in kinds if names.is_key(kind)}
