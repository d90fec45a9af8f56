"""Where COPY, ADD and RUN's mounts take files from: the context, a named context, a stage, an image."""

from __future__ import annotations

import os
from contextlib import ExitStack
from hashlib import sha256

from podpy.build.steps.tree import Tree
from podpy.errors import UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podpy.build.reading.ignore import Rules
    from podpy.build.steps.tree import KnownDigests
    from podpy.libpod.engine import Engine
    from podpy.storage.images import ImageRecord


STDIN = "-"


class StageResult(Record):
    """A finished stage: its last key, its image ("": it is empty), its settings, and its ARGs, which a stage that
    begins with it sees.
    """

    key: str
    image_id: str
    config: dict[str, Any]
    author: str = ""
    arguments: dict[str, str] = {}


class Origin:
    """Files that a step takes. `key`: what stands for them in the step's key if their own contents aren't asked for.

    `keeps_owners`: their owners mean something in an image.
    """

    keeps_owners = True
    key = ""

    def tree(self, stack: ExitStack) -> Tree:
        """Return the files; they stay until the stack's end. This process must be in the user's namespaces."""
        raise NotImplementedError

    def contents(self, paths: Sequence[str], *, owners: bool) -> str:
        """Return what stands for what sources' texts mean in the key of a step that copies them.

        `owners`: theirs count. Raises UsageError.
        """
        return self.key

    def mount_contents(self, source: str) -> str:
        """Return what stands for a path's files in the key of a RUN that mounts them."""
        return self.key

    def mounted(self, place: str) -> str:
        """Return a path to the files, mounted at `place` if need be, in this process's own mount namespace."""
        raise NotImplementedError


class ContextOrigin(Origin):
    """A directory of the host."""

    keeps_owners = False

    def __init__(self, directory: str, ignored: Rules | None, known: KnownDigests | None = None) -> None:
        """`known`: returns the digests of earlier builds by the directory; None: it is new each time."""
        self._tree = Tree(directory, ignored=ignored, known=known)
        self._known = known

    def tree(self, stack: ExitStack) -> Tree:
        return self._tree

    def mounted(self, place: str) -> str:
        return self._tree.root

    def mount_contents(self, source: str) -> str:
        """As Origin's. A mount shows ignored files, too."""
        return Tree(self._tree.root, known=self._known).digest(source or ".", owners=False)

    @property
    def files(self) -> Tree:
        """The files, which need no namespaces to be read."""
        return self._tree


class ImageOrigin(Origin):
    """The root of an image, or of a stage."""

    def __init__(self, engine: Engine, key: str, find: Callable[[], ImageRecord | None]) -> None:
        self.key = key
        self._engine = engine
        self._find = find

    def tree(self, stack: ExitStack) -> Tree:
        from podpy.libpod.images.making import ImageView

        view = stack.enter_context(ImageView(self._engine.store, self._find()))
        return Tree(view.path, name="/")

    def mounted(self, place: str) -> str:
        from podpy.libpod.images.making import mount_files

        mount_files(self._engine.store, self._find(), place)
        return place


class StageOrigin(ImageOrigin):
    """The root of a stage. What COPY takes of it counts by its contents: a stage that was done again and has made the
    same files costs nothing more. Their digest is kept with the image, which is read once.
    """

    def __init__(self, engine: Engine, result: StageResult) -> None:
        super().__init__(engine, f"stage {result.key}", self._record)
        self._image_id = result.image_id

    def _record(self) -> ImageRecord | None:
        return self._engine.store.find_image(self._image_id) if self._image_id else None

    def contents(self, paths: Sequence[str], *, owners: bool) -> str:
        def read(tree: Tree) -> str:
            told = []
            for text in paths:
                for path in tree.chosen(text):
                    told += [path, tree.digest(path, owners=owners)]
            return _digest(*told)

        return self._kept(_digest("files", self._image_id, str(owners), *paths), read)

    def mount_contents(self, source: str) -> str:
        try:
            key = _digest("mounted", self._image_id, source)
            return self._kept(key, lambda tree: tree.digest(source.strip("/"), owners=True))
        except UsageError:  # it isn't there: the command tells so
            return self.key

    def _kept(self, key: str, read: Callable[[Tree], str]) -> str:
        """Return what an earlier build, or `read`, says of the stage's files."""
        from podpy.storage.build_cache import BuildCache

        cache = BuildCache(self._engine.database)
        found = cache.files(key)
        if not found:
            self._engine.enter()
            with ExitStack() as stack:
                found = read(self.tree(stack))
            if self._image_id:
                cache.put_files(key, self._image_id, found)
        return found


def _digest(*texts: str) -> str:
    return sha256("\0".join(texts).encode("utf-8", "surrogateescape")).hexdigest()


def is_repository(text: str) -> bool:
    """Return whether a context's text names a repository of git."""
    address = text.partition("#")[0]
    if address.startswith(("git://", "git@", "ssh://", "github.com/")):
        return True
    return address.startswith(("http://", "https://", "file://")) and address.endswith(".git")


def is_added_repository(text: str) -> bool:
    """Return whether a source of ADD names a repository: never one of this machine, which a Dockerfile can't choose."""
    return is_repository(text) and not text.startswith(("file://", "github.com/"))


def is_remote(text: str) -> bool:
    """Return whether a context's text names something that must be fetched, not a directory of this machine."""
    return text == STDIN or is_repository(text) or text.startswith(("http://", "https://"))


def directory_of(context: str) -> str:
    """Return a context's directory. Raises UsageError, in Podman's words."""
    if not os.path.isdir(context):
        raise UsageError(f'context must be a directory: "{os.path.abspath(context)}"')
    return os.path.abspath(context)
