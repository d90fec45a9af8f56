"""What commit and cp are told: plain values, cheap to import."""

from __future__ import annotations

from podpy.record import Record


class CommitOptions(Record):
    """How a container becomes an image.

    `changes`: instructions of a Dockerfile (CMD, ENV …). `config`: JSON with a container's configuration to merge in.
    `format`: "oci" or "docker"; a `message` is for docker's only. `pause`: hold the container still meanwhile; None: if
    that is possible here. `squash`: one layer with everything. `include_volumes`: also named volumes and host
    directories that the user mounted become volumes of the image, not only anonymous ones.
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
    """How files are copied. `archive`: what comes into a container belongs to its user, as Podman's `-a` does by
    default; else to whom it belonged. `overwrite`: a file may take a directory's place, and the other way round.
    """

    archive: bool = True
    overwrite: bool = False
