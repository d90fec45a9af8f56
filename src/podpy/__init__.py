"""podpy: a container engine without a daemon, rootless first, with Podman's command line."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.runtime import Runtime
    from podpy.version import VERSION as __version__

__all__ = ["Runtime", "__version__"]


def __getattr__(name: str) -> object:
    """Import the engine only when somebody asks for it (PEP 562): `import podpy` alone stays cheap."""
    if name == "Runtime":
        from podpy.libpod.runtime import Runtime

        return Runtime
    if name == "__version__":
        from podpy.version import VERSION

        return VERSION
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
