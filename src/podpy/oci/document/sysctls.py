"""`--sysctl` → linux.sysctl: only what belongs to a namespace that the container has of its own."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.oci.document.namespaces import has_own_userns
from podpy.spec.sysctls import UTS_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.oci.document.context import BundleContext
    from podpy.spec.container import ContainerSpec


def build(spec: ContainerSpec, context: BundleContext) -> dict[str, str]:
    """Return linux.sysctl: containers.conf's where they apply, then what was asked for.

    Raises UsageError for one that would change the host's namespace.
    """
    result = {name: value for name, value in context.sysctls.items() if _applies(name, spec, context)}
    for name, value in spec.sysctls.items():
        kind = _shared(name, spec, context, only_host=True)
        if kind:
            raise UsageError(
                f"sysctl {name}={value} can't be set since {kind} Namespace set to host",
                hint=f"Drop the sysctl or --{_OPTION[kind]}=host",
            )
        result[name] = value
    return result


def _applies(name: str, spec: ContainerSpec, context: BundleContext) -> bool:
    """Return whether a default can be set: by the container's root, in a namespace that is the container's own.

    A network namespace that podpy makes belongs to podpy's user namespace; root of another one (keep-id, auto) may not
    write there, and nobody asked for it.
    """
    if _shared(name, spec, context):
        return False
    return not (name.startswith("net.") and "network" in context.namespaces and has_own_userns(spec, context))


_OPTION = {"IPC": "ipc", "Network": "network", "UTS": "uts"}


def _shared(name: str, spec: ContainerSpec, context: BundleContext, *, only_host: bool = False) -> str:
    """Return which namespace a sysctl belongs to, if the container shares that one; else an empty text."""
    if name.startswith("net."):
        kind, mode, key = "Network", spec.network, "network"
    elif name in UTS_NAMES:
        kind, mode, key = "UTS", spec.uts, "uts"
    else:
        kind, mode, key = "IPC", spec.ipc, "ipc"
    if mode == "host":
        return kind
    # A network namespace of our own comes with a path, too; only a joined one is somebody else's.
    joined = mode.startswith(("container:", "ns:")) and key in context.namespaces
    return kind if joined and not only_host else ""
