"""`--mount type=artifact`: the files of an artifact in a container, each a read-only bind mount of its blob."""

from __future__ import annotations

import os
import stat

from podpy import beneath
from podpy.errors import ImageError
from podpy.plan import Operation
from podpy.spec.container import option_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.image.documents.schema import Descriptor
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.libpod.engine import Engine
    from podpy.spec.container import Mount


class FindArtifact(Operation):
    """Find an artifact's files and their targets: a single file goes to the target itself, unless that is a directory.

    Afterwards `paths` (path in the container → path of the blob) is complete.
    """

    def __init__(self, context: StartContext, engine: Engine, mount: Mount) -> None:
        self._context = context
        self._engine = engine
        self._mount = mount
        self.paths: dict[str, str] = {}

    def describe(self) -> str:
        """Return which artifact."""
        return f"find the files of the artifact {self._mount.source} for {self._mount.target}"

    def execute(self) -> None:
        """Find them. Raises NoSuchArtifactError, UsageError, ImageError."""
        store = self._engine.store
        layers = chosen(self._engine, self._mount)
        target = self._mount.target
        directory = self._goes_into_directory(len(layers))
        if not directory and len(layers) > 1:
            raise ImageError(
                f'artifact "{self._mount.source}" contains more than one blob and container path "{target}" is a file'
            )
        for number, layer in enumerate(layers):
            path = store.blob_path(layer.digest)
            if not os.path.exists(path):
                raise ImageError(f"blob {layer.digest} is missing", hint="Pull or add the artifact again")
            _let_everybody_read(path)
            place = os.path.join(target, _name(self._mount, layer, number, len(layers))) if directory else target
            self.paths[place] = path

    def _goes_into_directory(self, number: int) -> bool:
        try:
            there = beneath.open_in_root(self._context.rootfs, self._mount.target, os.O_PATH)
        except (FileNotFoundError, NotADirectoryError):
            return number > 1
        try:
            return stat.S_ISDIR(os.fstat(there).st_mode)
        finally:
            os.close(there)


def chosen(engine: Engine, mount: Mount) -> list[Descriptor]:
    """Return the files for a mount of type artifact. Raises NoSuchArtifactError, UsageError, ImageError."""
    from podpy.image.lists import artifact

    return artifact.chosen(
        artifact.find(engine.store, mount.source),
        digest=option_value(mount, "digest"),
        title=option_value(mount, "title"),
    )


def _name(mount: Mount, layer: Descriptor, number: int, of: int) -> str:
    from podpy.image.lists import artifact

    given = option_value(mount, "name")
    numbered = f"{given}-{number}" if of > 1 else given
    name = numbered if given else artifact.file_name(layer)
    artifact.check_name(name)
    return name


def _let_everybody_read(path: str) -> None:
    # The directories above it let only the user pass; the container's other users read the mounted file directly.
    mode = os.stat(path).st_mode
    if mode & 0o444 != 0o444:
        os.chmod(path, (mode & 0o7777) | 0o444)
