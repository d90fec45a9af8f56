"""A container's resources → limits and CDI devices."""

from __future__ import annotations

from podpy.kube.translate.environment import amount
from podpy.kube.translate.quantities import up
from podpy.spec.container import Device, Resources
from podpy.spec.text.limits import MOST_QUOTA
from podpy.spec.text.security import is_cdi_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.yaml.places import Mapping

_PERIOD = 100_000  # microseconds: the kernel's default (Documentation/scheduler/sched-bwc.rst)
_LEAST_QUOTA = 1_000
_SHARES = 1024  # of one CPU
_LEAST_SHARES, _MOST_SHARES = 2, 262_144
_DEVICE = "podman.io/device="  # Podman's prefix of a host device's path
_MOST_GPUS = 64
_NONE: dict[str, Any] = {}


def resources(container: Mapping) -> dict[str, Any]:
    """Return the fields of ContainerSpec for a container's limits and requests. Raises UsageError.

    A request for CPU is its share when there isn't enough for all, as for a kubelet (kuberuntime, linux).
    """
    given = container.get("resources", _NONE)
    limits, requests = given.get("limits", _NONE), given.get("requests", _NONE)
    fields: dict[str, Any] = {}
    if "cpu" in limits and (cores := amount(limits, "cpu")):
        fields["cpu_period"] = _PERIOD
        fields["cpu_quota"] = max(_LEAST_QUOTA, up(cores * _PERIOD))
        if fields["cpu_quota"] > MOST_QUOTA:
            raise limits.wrong("cpu", f"{limits['cpu']} is too large")
    if "cpu" in requests:
        shares = int(amount(requests, "cpu") * 1000) * _SHARES // 1000
        fields["cpu_shares"] = min(max(_LEAST_SHARES, shares), _MOST_SHARES)
    if "memory" in limits and (limit := up(amount(limits, "memory"))):
        fields["memory"] = limit
    if "memory" in requests and (least := up(amount(requests, "memory"))):
        fields["memory_reservation"] = least
    return {"resources": Resources(**fields), **_devices(limits, requests)}


def _devices(limits: Any, requests: Any) -> dict[str, Any]:
    """Return CDI devices: Podman's "VENDOR/CLASS=NAME: 1", and clusters' "VENDOR/gpu: N": the first N."""
    names: list[str] = []
    devices: list[Device] = []
    for key in dict.fromkeys([*requests, *limits]):
        if key.startswith(_DEVICE):
            path = key.removeprefix(_DEVICE)
            devices.append(Device(host=path, container=path))
        elif is_cdi_name(key):
            names.append(key)
        elif key.endswith("/gpu"):
            amounts = limits if key in limits else requests
            count = up(amount(amounts, key))
            if count > _MOST_GPUS:
                raise amounts.wrong(key, f"{count} GPUs are too many")
            names += [f"{key}={number}" for number in range(count)]
    return {"cdi_devices": names, "devices": devices}
