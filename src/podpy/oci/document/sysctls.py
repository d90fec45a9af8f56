"""`--sysctl` → linux.sysctl: only sysctls of namespaces that the container has for itself."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.spec.sysctls import UTS_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.spec.container import ContainerSpec


def build(spec: ContainerSpec) -> dict[str, str]:
    """Return linux.sysctl. Raises UsageError for a sysctl that would change a namespace of the host."""
    for name, value in spec.sysctls.items():
        kind = _shared(name, spec)
        if kind:
            raise UsageError(
                f"sysctl {name}={value} can't be set since {kind} Namespace set to host",
                hint=f"Drop the sysctl or --{_OPTION[kind]}=host",
            )
    return spec.sysctls


_OPTION = {"IPC": "ipc", "Network": "network", "UTS": "uts"}


def _shared(name: str, spec: ContainerSpec) -> str:
    """Return a sysctl's namespace if the container shares it with the host, else an empty text."""
    if name.startswith("net."):
        kind, mode = "Network", spec.network
    elif name in UTS_NAMES:
        kind, mode = "UTS", spec.uts
    else:
        kind, mode = "IPC", spec.ipc
    return kind if mode == "host" else ""
