"""One volume, as its row says it is."""

from __future__ import annotations

from podpy.record import Record


class Volume(Record):
    """One volume. `created` is nanoseconds since 1970; `mountpoint` the directory with its files.

    uid and gid: what it was created with, or its first container gave it.
    """

    name: str
    mountpoint: str
    driver: str = "local"
    anonymous: bool = False
    created: int = 0
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    uid: int = 0
    gid: int = 0
    copied_up: bool = False  # an image's files were copied in: it isn't changed any more
    owned: bool = False  # its owner stays

    @property
    def needs_mount(self) -> bool:
        """Whether something is mounted at its directory while it is used."""
        if not self.options:
            return False
        from podpy.storage.volumes import driver

        return self.driver == driver.LOCAL and driver.needs_mount(self.options)
