"""`images --filter`, `image prune --filter`: Podman's keys."""

from __future__ import annotations

from podpy.cli import filters as shared
from podpy.errors import UsageError
from podpy.image.describe import parse_config
from podpy.image.lookup import find_image
from podpy.image.reference import DEFAULT_TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.libpod.runtime import Runtime
    from podpy.storage.images import ImageRecord

    Check = Callable[[Runtime, ImageRecord, list[str]], bool]

KEYS = (
    "after", "before", "containers", "dangling", "digest", "id", "intermediate", "label", "label!", "manifest",
    "readonly", "reference", "reference!", "since", "until",
)  # fmt: skip


def matching(runtime: Runtime, records: list[ImageRecord], filters: list[str]) -> list[ImageRecord]:
    """Return the images for which every filter is true. Raises UsageError, NoSuchImageError (before, since)."""
    wanted = shared.parse(filters, KEYS)
    before, since = _limits(runtime, wanted)
    found = []
    for record in records:
        if before is not None and record.created >= before:
            continue
        if since is not None and record.created <= since:
            continue
        if all(_CHECKS[key](runtime, record, values) for key, values in wanted.items() if key in _CHECKS):
            found.append(record)
    return found


def names_matching(record: ImageRecord, filters: list[str]) -> list[str]:
    """Return the image's names that the `reference` filters let through (all, without such a filter)."""
    patterns = shared.parse(filters, KEYS).get("reference", [])
    if not patterns:
        return record.names
    return [name for name in record.names if any(reference_matches(name, pattern) for pattern in patterns)]


def reference_matches(name: str, pattern: str) -> bool:
    """Tell whether a full name fits a pattern: the whole name, or its end after a slash; * ? [] as in file names."""
    from fnmatch import fnmatchcase

    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    whole, last = f"{repository}:{tag}", repository.rpartition("/")[2]
    candidates = {whole, repository, last, f"{last}:{tag}"}
    parts = repository.split("/")
    for start in range(1, len(parts)):
        ending = "/".join(parts[start:])
        candidates |= {ending, f"{ending}:{tag}"}
    if pattern in candidates:
        return ":" in pattern.rpartition("/")[2] or tag == DEFAULT_TAG or "*" in pattern or pattern in candidates
    # A star doesn't cross a slash, as in Go's path.Match.
    slashes = pattern.count("/")
    return any(candidate.count("/") == slashes and fnmatchcase(candidate, pattern) for candidate in candidates)


def _limits(runtime: Runtime, wanted: dict[str, list[str]]) -> tuple[int | None, int | None]:
    def created(name: str) -> int:
        return find_image(runtime.store, runtime.paths, name).created

    before = [created(name) for name in wanted.get("before", [])]
    since = [created(name) for name in (*wanted.get("since", []), *wanted.get("after", []))]
    until = [_time(text) for text in wanted.get("until", [])]
    uppers = [*before, *until]
    return (min(uppers) if uppers else None), (max(since) if since else None)


def _time(text: str) -> int:
    from podpy.cli.times import parse_time

    return parse_time(text)


def _dangling(_runtime: Runtime, record: ImageRecord, values: list[str]) -> bool:
    return shared.boolean("dangling", values) == (not record.names)


def _labels(_runtime: Runtime, record: ImageRecord, values: list[str]) -> bool:
    return shared.match_labels(values, parse_config(record).labels)


def _not_labels(_runtime: Runtime, record: ImageRecord, values: list[str]) -> bool:
    labels = parse_config(record).labels
    return not any(shared.match_labels([value], labels) for value in values)


def _containers(runtime: Runtime, record: ImageRecord, values: list[str]) -> bool:
    value = values[-1]
    if value == "external":
        return False  # containers of other tools aren't in podpy's store
    if value not in ("true", "false"):
        raise UsageError(f'unsupported value "{value}" for containers filter', hint="It is true, false or external")
    return bool(runtime.store.image_users(record.id)) == (value == "true")


def _reference(_runtime: Runtime, record: ImageRecord, values: list[str]) -> bool:
    return any(
        reference_matches(name, value) or record.id.startswith(value) for name in record.names for value in values
    )


_CHECKS: dict[str, Check] = {
    "dangling": _dangling,
    "label": _labels,
    "label!": _not_labels,
    "containers": _containers,
    "reference": _reference,
    "reference!": lambda runtime, record, values: not _reference(runtime, record, values),
    "id": lambda _runtime, record, values: shared.match_id(values, record.id),
    "digest": lambda _runtime, record, values: any(record.digest.startswith(value) for value in values),
    "readonly": lambda _runtime, _record, values: not shared.boolean("readonly", values),
    "intermediate": lambda _runtime, _record, values: not shared.boolean("intermediate", values),
    "manifest": lambda _runtime, record, values: shared.boolean("manifest", values) == record.is_list,
}
