"""`podpy diff`: differences between a container and its image, an image and the layer below, or any two."""

from __future__ import annotations

import os

from podpy.errors import NoSuchContainerError, NoSuchImageError, NotFoundError, NotSupportedError
from podpy.image.names.lookup import find_image
from podpy.libpod.containers.held import find
from podpy.storage.layers.differences import ADDED as ADDED
from podpy.storage.layers.differences import CHANGED as CHANGED
from podpy.storage.layers.differences import DELETED as DELETED
from podpy.storage.layers.differences import Change, between

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.storage.images import ImageRecord

# Files that podpy and the OCI runtime create in a container (Podman's list: libpod/diff.go).
_OURS = frozenset(
    (
        "/dev", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/proc", "/run", "/run/.containerenv",
        "/run/notify", "/run/podman-init", "/run/secrets", "/sys",
    )
)  # fmt: skip


def diff(engine: Engine, name: str, base: str = "", *, kind: str = "all") -> list[Change]:
    """Return the differences between `name` and `base`, by default its image or the layer below.

    `kind`: "container", "image" or "all" (containers are searched first). Raises NotFoundError.
    """
    new, is_container = _layers(engine, name, kind)
    old = _layers(engine, base, "all")[0] if base else new[:-1]
    shifted = False
    if is_container and new[-1].endswith("/vfs"):  # a whole copy of the image, possibly with other owners
        old, new, shifted = (old if base else new[:-1]), new[-1:], True
    found = engine.privileged(lambda: between(old, new, owners=not shifted))
    return [change for change in found if change.path not in _OURS] if is_container else found


def _layers(engine: Engine, name: str, kind: str) -> tuple[list[str], bool]:
    if kind != "image":
        try:
            return _container_layers(engine, name), True
        except NoSuchContainerError:
            if kind == "container":
                raise
    try:
        return _image_layers(engine, find_image(engine.store, engine.paths, name)), False
    except NoSuchImageError:
        if kind == "image":
            raise
        raise NotFoundError(f"{name} not found: layer not known", hint="See podpy ps -a, podpy images") from None


def _container_layers(engine: Engine, name: str) -> list[str]:
    container = find(engine, name)
    if container.image is None:
        raise NotSupportedError("diff of a container with --rootfs: there is nothing to compare it with")
    layers = _image_layers(engine, container.image)
    for own in ("vfs", "upper"):
        path = os.path.join(engine.directory(container.id), own)
        if os.path.isdir(path):
            return [*layers, path]
    return [*layers, *layers[-1:]]  # it was never started


def _image_layers(engine: Engine, image: ImageRecord) -> list[str]:
    numbers = engine.store.layer_numbers(image.layers)
    return [os.path.join(engine.store.graphroot, "layers", str(number)) for number in numbers]
