"""What pushes, archives, manifest lists and artifacts are told: plain values, without the code that acts on them."""

from __future__ import annotations

from podpy.image.registry.access import Access
from podpy.record import Record

SAVE_FORMATS = ("oci-dir", "oci-archive", "docker-dir", "docker-archive")
# As the output of a save. Opened by this name, a pipe of another user (sudo -u) is refused; the descriptor is not.
STDOUT = "/dev/stdout"
UNKNOWN_ARTIFACT = "application/vnd.unknown.artifact.v1"


def is_address(source: str) -> bool:
    """Tell whether what is imported is to be downloaded."""
    return source.startswith(("http://", "https://"))


class PushOptions(Access):
    """How to push. Empty texts mean: as the image is."""

    format: str = ""  # oci, v2s2
    compression: str = ""  # gzip, zstd: for layers that are not compressed, and with `recompress` for all others
    level: int | None = None
    recompress: bool = False
    platform: str = ""  # os/arch[/variant]: of a list only its image for this one


class ListPushOptions(PushOptions):
    """How to push a list. `images` false: only the list goes, its images must be there."""

    images: bool = True
    add_compression: list[str] = []  # gzip, zstd: further entries, the same images compressed so


class SaveOptions(Record):
    """How to save. `multiple`: several names are several images; False: the first is the image, the others its names;
    None: as containers.conf says.

    `compress` is for docker-dir, `uncompressed` for the OCI formats: what becomes of layers that no compressed blob is
    kept of.
    """

    format: str = "docker-archive"  # one of SAVE_FORMATS
    multiple: bool | None = None
    compress: bool = False
    uncompressed: bool = False


class ImportOptions(Record):
    """What the new image's configuration says. Empty texts: this machine's platform, Podman's comment."""

    changes: list[str] = []
    message: str = ""
    os: str = ""
    architecture: str = ""
    variant: str = ""
    signature_policy: str = ""


class EntryChanges(Record):
    """What an entry of a manifest list shall say; what is empty stays as it is."""

    os: str = ""
    architecture: str = ""
    variant: str = ""
    os_version: str = ""
    os_features: list[str] = []
    features: list[str] = []
    annotations: dict[str, str] = {}


class ListAddOptions(Access):
    """How images are added to a list: how their registries are spoken to, and what their entries shall say."""

    all: bool = False  # of a list all entries, not only the one for this machine (or for `changes`' platform)
    changes: EntryChanges = EntryChanges()


class ListArtifactOptions(Record):
    """How files become an artifact of a manifest list (`--artifact-…`).

    Empty texts mean the defaults, except for `artifact_type`: then it has none.
    """

    artifact_type: str = UNKNOWN_ARTIFACT
    config_file: str = ""
    config_type: str = ""
    layer_type: str = ""
    subject: str = ""
    exclude_titles: bool = False


class ArtifactOptions(Record):
    """How files become an artifact of the store. `file_type` empty: guessed from each file's first bytes."""

    annotations: dict[str, str] = {}
    artifact_type: str = ""
    file_type: str = ""
    append: bool = False
    replacing: bool = False
