"""What a transfer tells while it works. The base class says nothing, `Spoken` says Podman's lines."""

from __future__ import annotations


class Progress:
    """Callbacks, called from several threads at once; override what you show.

    Digests are `sha256:HEX`, sizes are bytes (-1: not known).
    """

    def message(self, text: str) -> None:
        """One line for people: a short name that was resolved, a registry that is tried, a wait."""

    def layer_started(self, digest: str, size: int, offset: int) -> None:
        """A layer begins to arrive; `offset` bytes of it were here already."""

    def layer_advanced(self, digest: str, count: int) -> None:
        """`count` more bytes of a layer have arrived."""

    def layer_done(self, digest: str) -> None:
        """A layer is unpacked and verified."""

    def layer_exists(self, digest: str) -> None:
        """A layer needn't be fetched: the store has it."""

    def config(self, digest: str) -> None:
        """The image's configuration is read."""

    def committing(self) -> None:
        """Everything is here; the image is being written into the store."""

    def close(self) -> None:
        """The transfer has ended, well or badly."""


SILENT = Progress()


class Spoken(Progress):
    """Tells most of it in Podman's words, line by line. `say` gets each line; override it."""

    def say(self, text: str) -> None:
        """Tell one line, without its end."""

    def message(self, text: str) -> None:
        self.say(text)

    def layer_exists(self, digest: str) -> None:
        self.say(f"Copying blob {digest} skipped: already exists")

    def config(self, digest: str) -> None:
        self.say(f"Copying config {digest}")

    def committing(self) -> None:
        self.say("Writing manifest to image destination")
