"""`run --explain`: the plan of a start, without executing it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec


def explain(engine: Engine, spec: ContainerSpec) -> list[str]:
    """Return a line for each operation that a start of this container would execute.

    Nothing is created or pulled. Raises NoSuchImageError if the image isn't in the store, else as Runtime.create.
    """
    from podpy.libpod.containers.starting.create import draft
    from podpy.libpod.containers.starting.launch import Launch

    container = draft(engine, spec)
    launch = Launch(container)
    lines = [f"{name} {value}" for name, value in _facts(engine, container.spec)]
    return lines + [f"{number}. {text}" for number, text in enumerate(launch.plan().describe(), 1)]


def _facts(engine: Engine, spec: ContainerSpec) -> list[tuple[str, str]]:
    from podpy import rootless

    uids, gids = rootless.idmaps()
    return [
        ("image:", spec.image or spec.rootfs),
        ("command:", " ".join(spec.command)),
        ("uid map:", _map_text(uids)),
        ("gid map:", _map_text(gids)),
        ("graph root:", engine.paths.graphroot),
        ("run root:", engine.paths.runroot),
    ]


def _map_text(lines: list[tuple[int, int, int]]) -> str:
    return ", ".join(
        f"{inside}-{inside + size - 1} are {outside}-{outside + size - 1}" for inside, outside, size in lines
    )
