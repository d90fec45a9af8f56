"""podpy: a container engine without a daemon, rootless first, with Podman's command line."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.errors import PodpyError
    from podpy.library.container import Container
    from podpy.library.pods import Pod
    from podpy.library.runtime import Runtime
    from podpy.spec.container import ContainerSpec, Mount
    from podpy.spec.pod import PodSpec
    from podpy.version import VERSION as __version__

__all__ = ["Container", "ContainerSpec", "Mount", "Pod", "PodSpec", "PodpyError", "Runtime", "__version__"]

_PLACES = {
    "Container": "podpy.library.container",
    "ContainerSpec": "podpy.spec.container",
    "Mount": "podpy.spec.container",
    "Pod": "podpy.library.pods",
    "PodSpec": "podpy.spec.pod",
    "PodpyError": "podpy.errors",
    "Runtime": "podpy.library.runtime",
    "VERSION": "podpy.version",
}


def __getattr__(name: str) -> object:
    """Import the engine only when somebody asks for it (PEP 562): `import podpy` alone stays cheap."""
    wanted = "VERSION" if name == "__version__" else name
    if wanted not in _PLACES or name == "VERSION":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[wanted]), wanted)


def __dir__() -> list[str]:
    return __all__
