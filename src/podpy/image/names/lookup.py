"""Finds an image in the store by what a user types. On the hot path: no network, no `re`, one small cache file."""

from __future__ import annotations

from podpy.errors import ImageError, NoSuchImageError, NotANameError
from podpy.image.names.reference import STORE, Reference, is_hex, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

_ID_LENGTH = 64


def find_image(store: Store, paths: Paths, text: str) -> ImageRecord:
    """Return the image that a name, short name, digest, id or beginning of an id means. Raises NoSuchImageError.

    Of a manifest list it is the image for this machine.
    """
    return find_named_image(store, paths, text)[0]


def find_named_image(store: Store, paths: Paths, text: str) -> tuple[ImageRecord, str]:
    """As `find_image`, with the full name under which it was found: a list's own (empty: by its id)."""
    record, name = find_named(store, paths, text)
    if record.is_list:
        from podpy.image.names.instance import instance

        return instance(store, record), name
    return record, name


def find_named(store: Store, paths: Paths, text: str) -> tuple[ImageRecord, str]:
    """Return the image or manifest list, and the full name under which it was found (empty: by its id).

    A name with a digest needn't be one of its names: any manifest that it came by will do. Raises NoSuchImageError.
    """
    wanted = text.removeprefix(STORE)
    identity = wanted.removeprefix("sha256:")
    if len(identity) == _ID_LENGTH and is_hex(identity):
        return _by_id(store, identity, text), ""
    try:
        reference = parse(wanted)
    except ImageError as error:
        if not is_hex(identity):
            raise NotANameError(error.message, hint=error.hint) from None
        return _by_id(store, identity, text), ""
    candidates = [str(reference.with_default_tag().without_tag_if_digest())]
    if reference.is_short:
        from podpy.image.names.registries import registries_of
        from podpy.image.names.short import in_store

        candidates = in_store(reference, registries_of(paths))
    for name in candidates:
        try:
            record = store.find_image(name)
        except NoSuchImageError:
            continue
        if record.podman_digest != record.digest and name not in record.names:
            record = _for_this_machine(store, name, record)
        return record, name
    if not reference.is_short:
        raise _unknown(text)
    return _by_suffix(store, reference) or (_by_id(store, identity, text), "")


def _for_this_machine(store: Store, name: str, record: ImageRecord) -> ImageRecord:
    """Return this machine's image among several that came with one manifest list."""
    repository, _, digest = name.rpartition("@")
    found = store.images_table.by_digest(repository, digest)
    if len(found) < 2:
        return record
    from podpy.image.documents import schema

    try:
        index = schema.parse(store.images_table.manifest(digest))
        assert isinstance(index, schema.Index)
        wanted = schema.select(index, schema.host_platform()).digest
    except ImageError:  # the list has nothing for this machine
        return record
    return next((image for image in found if wanted in image.digests), record)


def _by_id(store: Store, identity: str, text: str) -> ImageRecord:
    if not is_hex(identity):
        raise _unknown(text)
    try:
        return store.find_image(identity)
    except NoSuchImageError:
        raise _unknown(text) from None


def _by_suffix(store: Store, reference: Reference) -> tuple[ImageRecord, str] | None:
    from podpy.image.names.short import matches_suffix

    for name in store.images_table.all_names():
        if matches_suffix(name, reference):
            repository = parse(name).name
            found = f"{repository}@{reference.digest}" if reference.digest else name
            try:
                return store.find_image(found), found
            except NoSuchImageError:
                pass  # the image has that name, but not this digest
    return None


def _unknown(text: str) -> NoSuchImageError:
    return NoSuchImageError(f"{text}: image not known", hint=f"See podpy images, or: podpy pull {text}")
