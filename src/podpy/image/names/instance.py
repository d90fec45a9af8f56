"""Which image of the store a manifest list means for a platform."""

from __future__ import annotations

from podpy.errors import ImageError, NoSuchImageError, NoSuchInstanceError
from podpy.image.documents import schema
from podpy.image.names.reference import REGISTRY, STORE, parse
from podpy.storage import lists as table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.image.documents.schema import Platform
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store


def instance(store: Store, record: ImageRecord, wanted: Platform | None = None) -> ImageRecord:
    """Return the image of the store that a list has for a platform (None: this machine's).

    Raises NoSuchInstanceError.
    """
    wanted = wanted or schema.host_platform()
    name = record.names[0] if record.names else record.id[:12]
    try:
        index = schema.parse(record.manifest)
        assert isinstance(index, schema.Index)
        digest = schema.select(index, wanted).digest
    except ImageError as error:
        raise NoSuchInstanceError(f"manifest list {name}: {error.message}", hint=error.hint) from None
    known = {source.digest: source.source for source in table.sources(store, record.id)}.get(digest, "")
    ids = store.images_table.ids_by_manifest(digest)
    if not ids and known.startswith(STORE):
        ids = [known.removeprefix(STORE)]
    try:
        return store.images_table.with_manifest(store.find_image(ids[0] if ids else digest), digest)
    except NoSuchImageError:
        hint = f"Pull or load it, or take it out: podpy manifest remove {name} {digest}"
        if known.startswith(REGISTRY):
            hint = f"Run: podpy pull {parse(known.removeprefix(REGISTRY)).name}@{digest}"
        raise NoSuchInstanceError(
            f"manifest list {name}: its image for {wanted}, {digest}, isn't in the store", hint=hint
        ) from None
