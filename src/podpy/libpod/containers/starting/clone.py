"""`podpy container clone`: the spec of a container, for a copy of it."""

from __future__ import annotations

from podpy.errors import StateError
from podpy.libpod.containers.names import is_id
from podpy.libpod.containers.table import ALIVE
from podpy.spec.changes import changed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine
    from podpy.spec.changes import Changes
    from podpy.spec.container import ContainerSpec, Mount

_SUFFIX = "-clone"


def cloned(container: Held, changes: Changes, *, name: str = "", image: str = "", pod: str = "") -> ContainerSpec:
    """Return the spec for a copy of this container, for `create`; `image`, `pod`: the names of others.

    Named volumes are shared, anonymous ones are new. Files that only one container can have (--cidfile, --pidfile, the
    log) are left out. Raises UsageError for wrong changes.
    """
    spec = changed(container.spec, changes)
    entrypoint = spec.entrypoint or []
    has_entrypoint = bool(entrypoint) and spec.command[: len(entrypoint)] == entrypoint
    if pod:
        from podpy.libpod.pods.membership import without_pod

        spec = without_pod(container.engine, spec).replace(pod=pod)
    own_ids = spec.userns not in ("", "host") or bool(spec.uid_map_lines or spec.gid_map_lines)
    return spec.replace(
        name=name or free_name(container.engine, container.name),
        image=image or spec.image,
        # `create` prepends the image's entrypoint again; [""] means none at all.
        entrypoint=entrypoint if has_entrypoint else [""],
        command=spec.command[len(entrypoint) :] if has_entrypoint else spec.command,
        image_labels={},
        mounts=[_again(mount) for mount in spec.mounts if not mount.from_image],
        volumes_from=[],
        cidfile="",
        pidfile="",
        conmon_pidfile="",
        log_options={key: value for key, value in spec.log_options.items() if key != "path"},
        **({"uid_maps": [], "gid_maps": []} if own_ids else {}),
    )


def _again(mount: Mount) -> Mount:
    return mount.replace(source="") if mount.type == "volume" and is_id(mount.source) else mount


def free_name(engine: Engine, name: str) -> str:
    """Return NAME-clone, or NAME-clone with the first free number appended, as Podman does."""
    wanted = name + _SUFFIX
    number = 0
    while engine.table.name_owner(wanted if not number else f"{wanted}{number}"):
        number += 1
    return wanted if not number else f"{wanted}{number}"


def check_destroyable(container: Held, *, force: bool) -> None:
    """Raise StateError if the container is running and `force` is False."""
    if not force and container.status in ALIVE:
        raise StateError(
            f"cannot remove container {container.id} as it is running - running or paused containers cannot be removed "
            "without force: container state improper",
            hint="Use --force with --destroy",
        )
