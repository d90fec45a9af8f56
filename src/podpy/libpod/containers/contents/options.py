"""Options of commit and cp: plain values, cheap to import."""

from __future__ import annotations

from podpy.record import Record


class CommitOptions(Record):
    """Options of `commit`.

    `changes`: instructions of a Dockerfile (CMD, ENV …). `config`: JSON with a container's configuration to merge in.
    `format`: "oci" or "docker"; only docker's has a `message`. `pause`: freeze the container meanwhile; None: if that
    is possible here. `squash`: one layer with everything. `include_volumes`: named volumes and host directories that
    the user mounted become volumes of the image, too, not only anonymous ones.
    """

    author: str = ""
    changes: list[str] = []
    config: bytes = b""
    format: str = "oci"
    include_volumes: bool = False
    message: str = ""
    pause: bool | None = None
    squash: bool = False


class CopyOptions(Record):
    """Options of `cp`. `archive`: files copied into a container belong to its user, as with Podman's `-a`; False: they
    keep their owner; None: as containers.conf says (yes). `overwrite`: a file may replace a directory, and a
    directory a file.
    """

    archive: bool | None = None
    overwrite: bool = False
