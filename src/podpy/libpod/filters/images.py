"""`images --filter`, `image prune --filter`: Podman's keys."""

from __future__ import annotations

from podpy.errors import NoSuchImageError, PodpyError, UsageError
from podpy.image.documents.describe import parse_config
from podpy.image.names.lookup import find_named
from podpy.libpod.filters import parse as shared

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.libpod.engine import Engine
    from podpy.storage.images import ImageRecord

    Check = Callable[[ImageRecord], bool]
    Maker = Callable[[Engine, str, str], Check]


def matching(engine: Engine, filters: list[str], *, whole: bool = False) -> list[ImageRecord]:
    """Return the images that match every filter, newest first. Raises UsageError, NoSuchImageError (before, since).

    Without `whole`, the records are summaries (Store.image_summaries) unless a filter needs more.
    """
    wanted = shared.parse(filters, KEYS)
    whole = whole or any(key.startswith(("label", "manifest")) for key in wanted)
    records = engine.store.images() if whole else engine.store.image_summaries(digests=True)
    checks = [check for text, values in wanted.items() for check in _checks(engine, text, values)]
    return [record for record in records if all(check(record) for check in checks)]


def names_matching(record: ImageRecord, filters: list[str]) -> list[str]:
    """Return the image's names that match the `reference` filters (all names if there is no such filter)."""
    patterns = shared.parse(filters, KEYS).get("reference", [])
    if not patterns:
        return record.names
    return [name for name in record.names if any(reference_matches(name, pattern) for pattern in patterns)]


def reference_matches(name: str, pattern: str) -> bool:
    """Return whether a full name matches a pattern. The pattern is for the whole name, or an end of it after a slash,
    each with or without its tag (or digest); * ? [] are as in file names and never match a slash (Go's path.Match).
    """
    from fnmatch import fnmatchcase

    repository, rest = _split(name)
    parts = repository.split("/")
    slashes = pattern.count("/")
    if slashes >= len(parts):
        return False
    ending = "/".join(parts[len(parts) - 1 - slashes :])
    return any(
        candidate.count("/") == slashes and fnmatchcase(candidate, pattern) for candidate in (ending, ending + rest)
    )


def _split(name: str) -> tuple[str, str]:
    """Return a name's repository, and ":TAG" or "@DIGEST"."""
    repository, at, digest = name.partition("@")
    if at:
        return repository, at + digest
    base, colon, tag = name.rpartition(":")
    return (base, colon + tag) if colon and "/" not in tag else (name, "")


def _checks(engine: Engine, key: str, values: list[str]) -> list[Check]:
    """Return a filter's checks of an image; an exclamation mark at the end of `key` (`label!=x`) negates it."""
    bare = key.removesuffix("!")
    make = _MAKERS[bare]
    if bare in _ANY_OF:
        checks = [_any([make(engine, bare, value) for value in values])]
    else:
        checks = [make(engine, bare, value) for value in values]
    if bare == key:
        return checks
    each = [make(engine, bare, value) for value in values]
    return [lambda record: not any(check(record) for check in each)]


def _any(checks: list[Check]) -> Check:
    return lambda record: any(check(record) for check in checks)


def _boolean(value_of: Callable[[ImageRecord], bool]) -> Maker:
    def make(_engine: Engine, key: str, value: str) -> Check:
        wanted = shared.boolean(key, [value])
        return lambda record: value_of(record) == wanted

    return make


def _before(engine: Engine, key: str, value: str) -> Check:
    limit = _created(engine, key, value)
    return lambda record: record.created < limit


def _since(engine: Engine, key: str, value: str) -> Check:
    limit = _created(engine, key, value)
    return lambda record: record.created > limit


def _created(engine: Engine, key: str, name: str) -> int:
    try:
        return find_named(engine.store, engine.paths, name)[0].created
    except NoSuchImageError as error:
        raise NoSuchImageError(
            f'could not find local image for filter "{key}"="{name}": {error.message}', hint="See podpy images"
        ) from None


def _until(_engine: Engine, _key: str, value: str) -> Check:
    from podpy.libpod.filters.times import parse_time

    limit = parse_time(value)
    return lambda record: record.created < limit


def _label(_engine: Engine, _key: str, value: str) -> Check:
    return lambda record: shared.match_labels([value], parse_config(record).labels)


def _containers(engine: Engine, _key: str, value: str) -> Check:
    if value == "external":
        return lambda _record: False  # podpy's store has no containers of other tools
    if value not in ("true", "false"):
        raise UsageError(f'unsupported value "{value}" for containers filter', hint="It is true, false or external")
    users = engine.store.images_table.user_counts()
    return lambda record: (record.id in users) == (value == "true")


def _reference(engine: Engine, _key: str, value: str) -> Check:
    try:
        meant = find_named(engine.store, engine.paths, value)[0].id
    except PodpyError:
        meant = ""
    return lambda record: record.id == meant or any(reference_matches(name, value) for name in record.names)


def _digest(_engine: Engine, _key: str, value: str) -> Check:
    if not value.startswith("sha256:"):
        raise UsageError(f'invalid value "{value}" for digest filter', hint="It begins with sha256:")
    return lambda record: any(digest.startswith(value) for digest in record.digests)


def _id(_engine: Engine, _key: str, value: str) -> Check:
    return lambda record: shared.match_id([value.removeprefix("sha256:")], record.id)


_MAKERS: dict[str, Maker] = {
    "after": _since,
    "before": _before,
    "containers": _containers,
    "dangling": _boolean(lambda record: not record.names),
    "digest": _digest,
    "id": _id,
    # Intermediate images of a build, and images in additional stores: podpy has neither.
    "intermediate": _boolean(lambda _record: False),
    "label": _label,
    "manifest": _boolean(lambda record: record.is_list),
    "readonly": _boolean(lambda _record: False),
    "reference": _reference,
    "since": _since,
    "until": _until,
}
_ANY_OF = ("reference", "id", "digest")  # for these one matching value is enough; for other keys all must match
KEYS = (*_MAKERS, *(f"{key}!" for key in _MAKERS))
