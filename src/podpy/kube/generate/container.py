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
    from podpy.spec.container import ContainerSpec, PortMapping, Resources

_USUAL = {"container": "podman", "TERM": "xterm", "PATH": DEFAULT_PATH}
"""Variables that an engine sets itself, and their values."""
_PERIOD = 100_000  # microseconds, the kernel's default
_GPU = "nvidia.com/gpu"
_SECRETS = (("secretRef", "name"), ("secretKeyRef", "name"), ("secret", "secretName"), ("secret", "name"))


def container(source: Source, name: str, volumes: Volumes, options: Options) -> dict[str, Any]:
    """Return the container's fields, without those that the image sets equally, as in Podman.

    Raises UsageError for a text that YAML can't hold.
    """
    spec = source.spec
    _tell_of_secrets(source)
    return known(
        name=name,
        image=source.image_name,
        **_command(source),
        workingDir=spec.workdir if spec.workdir not in ("", "/", source.image.workdir) else None,
        env=_variables(source),
        envFrom=_whole_sources(spec),
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
    spec = source.spec
    origins = [*spec.env_origins.values(), *spec.volume_origins.values()]
    for name in dict.fromkeys([*(use.name for use in spec.secrets), *names_of_secrets(origins)]):
        warn(f"container {source.name}: the secret {name} isn't in the YAML: create it where the YAML is used")


def _command(source: Source) -> dict[str, Any]:
    """Return `command` and `args`, which are the entrypoint and its arguments, where they differ from the image's.

    A command without an entrypoint becomes `command`, as in Podman: in a cluster `args` would be the arguments of the
    image's entrypoint.
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


def _variables(source: Source) -> list[dict[str, Any]]:
    """Return the variables that have a value of their own, or one of a ConfigMap, a Secret or a field by its key."""
    of_image = dict(item.partition("=")[::2] for item in source.image.env)
    usual = {**_USUAL, **of_image}
    origins = source.spec.env_origins
    found = {name: value for name, value in source.spec.env.items() if name in origins or usual.get(name) != value}
    if source.own_hostname:
        found.setdefault("HOSTNAME", source.own_hostname)
    return [
        {"name": name, "valueFrom": origins[name]["valueFrom"]}
        if name in origins
        else {"name": literal(name), "value": literal(value)}
        for name, value in found.items()
        if "envFrom" not in origins.get(name, ())
    ]


def _whole_sources(spec: ContainerSpec) -> list[dict[str, Any]]:
    """Return the ConfigMaps and Secrets all of whose keys are variables, in their order."""
    found = {each["place"]: each["envFrom"] for each in spec.env_origins.values() if "envFrom" in each}
    return [found[place] for place in sorted(found)]


def names_of_secrets(value: Any) -> list[str]:
    """Return the names of the Secrets in origins of variables and volumes."""
    if isinstance(value, list):
        return [name for item in value for name in names_of_secrets(item)]
    if not isinstance(value, dict):
        return []
    own = [value[key].get(field, "") for key, field in _SECRETS if isinstance(value.get(key), dict)]
    return [*filter(None, own), *(name for item in value.values() for name in names_of_secrets(item))]


def ports(mappings: Iterable[PortMapping], options: Options) -> list[dict[str, Any]]:
    """Return each port of the ranges, without the protocol TCP, and with a Service without the host's port."""
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
    """Return limits, and requests for reservations. An API server refuses requests above the limits."""
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
    """Return the limit in thousandths of a CPU, Kubernetes' finest unit."""
    if asked.cpus:
        return int(asked.cpus * 1000)
    if asked.cpu_quota and asked.cpu_quota > 0:
        return asked.cpu_quota * 1000 // (asked.cpu_period or _PERIOD)
    return 0


def _graphics(source: Source, options: Options) -> dict[str, str]:
    """Return CDI devices as extended resources: the number of each kind; for Podman alone each device by name."""
    spec = source.spec
    devices = dict.fromkeys([*spec.cdi_devices, *(f"{_GPU}={name}" for name in spec.gpus)])
    if options.podman_only:
        return dict.fromkeys(devices, "1")
    kinds = [device.partition("=")[0] for device in devices]
    return {kind: str(kinds.count(kind)) for kind in kinds if names.is_key(kind)}
