"""Unpacking one layer: the uncompressed tar goes in, a directory in the staging area (and a recipe) comes out.

Nothing is visible before `Store.commit_image` has renamed it to layers/NUMBER, and that happens only after `finish` has
compared the diff id.
"""

from __future__ import annotations

import os

from podpy.errors import DigestMismatchError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.storage.staging import Staging


class LayerWriter:
    """Receives the uncompressed tar of one layer in pieces of any size. For one thread; several writers run side by
    side. `diff_id` empty: `finish` finds it out, and then the maker gives the chain id.

    With `recipe`, the tar can be made again from the layer (storage/layers/recipe.py); without, its compressed form
    must be kept. After `finish`: `recipe_size` is the recipe's size in bytes, 0 if there's none; if one was wanted and
    isn't possible, `lost_tar` is true, and `keep_tar` must be given the whole tar once more.
    """

    def __init__(self, staging: Staging, *, chain_id: str, parent: str, diff_id: str, recipe: bool = True) -> None:
        import hashlib

        from podpy.storage.layers.unpack import Unpacker

        self.chain_id = chain_id
        self.parent = parent
        self.diff_id = diff_id
        self.path = staging.new_path("layer")
        self.recipe_path = staging.new_path("recipe")
        self.recipe_size = 0
        self.lost_tar = False
        self.tar_size = 0
        self.size = 0
        self.entries = 0
        self.root_seen = False
        self.implied = 0
        self.skipped_devices = 0
        self.finished = False
        self._staging = staging
        self._hash = hashlib.sha256()
        os.mkdir(self.path, 0o755)
        self._recipe = staging.nameless_file() if recipe else -1
        self._unpacker = Unpacker(self.path, recipe=self._recipe)

    def write(self, data: bytes | memoryview) -> None:
        """Unpack the next piece. Raises StorageError (a tar that can't be unpacked, a full disk)."""
        self._hash.update(data)
        self.tar_size += len(data)
        self._unpacker.feed(data)

    def finish(self) -> None:
        """End the tar and compare its digest. Raises DigestMismatchError, StorageError."""
        self._unpacker.finish()
        actual = "sha256:" + self._hash.hexdigest()
        self.diff_id = self.diff_id or actual
        if actual != self.diff_id:
            raise DigestMismatchError(
                f"layer {self.diff_id} unpacks to the digest {actual}",
                hint="The image's configuration doesn't belong to its layers; pull or build it again",
            )
        self.size = self._unpacker.size
        self.entries = self._unpacker.entries
        self.root_seen = self._unpacker.root_seen
        self.implied = self._unpacker.implied
        self.skipped_devices = self._unpacker.skipped_devices
        self._finish_recipe()
        self.finished = True

    def keep_tar(self, pieces: Iterable[bytes]) -> None:
        """Keep the uncompressed tar itself, compressed, as a recipe that is one long literal. Raises
        DigestMismatchError.
        """
        from podpy.storage.layers import recipe

        self.recipe_size = recipe.write_literal(pieces, self.recipe_path, self.diff_id)
        self.lost_tar = False

    def abort(self) -> None:
        """Stop, and remove what was unpacked."""
        self._unpacker.abort()
        self._close_recipe()
        self._staging.discard(self.recipe_path)
        self._staging.discard(self.path)

    def take_root_from(self, parent: str) -> None:
        """Give the layer's root the owner and mode of its parent's: overlay shows the topmost layer's, so a layer that
        says nothing about its root must not change it.
        """
        status = os.stat(parent)
        os.chown(self.path, status.st_uid, status.st_gid)
        os.chmod(self.path, status.st_mode & 0o7777)

    def check_finished(self) -> None:
        """Raise StorageError unless `finish` succeeded."""
        if not self.finished:
            raise StorageError(f"layer {self.diff_id} isn't unpacked and verified")

    def _finish_recipe(self) -> None:
        from podpy.storage.layers import recipe

        if self._recipe < 0:
            return
        self.lost_tar = self._unpacker.replaced
        if not self.lost_tar:
            self.recipe_size = recipe.write(self._recipe, self.recipe_path)
        self._close_recipe()

    def _close_recipe(self) -> None:
        if self._recipe >= 0:
            os.close(self._recipe)
            self._recipe = -1
