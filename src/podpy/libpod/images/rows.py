"""The lines of `podpy images`, and their JSON form: Podman's ImageSummary."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.libpod.engine import Engine
    from podpy.storage.images import ImageRecord

NONE = "<none>"
_SECOND = 1_000_000_000


class ImageRow:
    """One line: an image under one of its names."""

    __slots__ = ("record", "repository", "tag")

    def __init__(self, record: ImageRecord, name: str) -> None:
        self.record = record
        self.repository, self.tag = split_name(name)


class Usage(Record):
    """By image: how many containers use it, and all its present and former names, the latest first."""

    containers: dict[str, int]
    names: dict[str, list[str]]


def split_name(name: str) -> tuple[str, str]:
    """Return a name's repository and tag as lists show them; a missing part is "<none>"."""
    repository = name.partition("@")[0]
    base, colon, tag = repository.rpartition(":")
    if not colon or "/" in tag:
        base, tag = repository, ""
    return base or NONE, tag or NONE


def chosen(
    engine: Engine, filters: Sequence[str] = (), *, whole: bool = True, digests: bool = True, steps: bool = False
) -> list[ImageRecord]:
    """Return the images that match every filter; see `Images.list`."""
    if filters:
        from podpy.libpod.filters.images import matching

        found = matching(engine, [*filters], whole=whole)
    else:
        found = engine.store.images() if whole else engine.store.image_summaries(digests=digests)
    hidden = () if steps else engine.store.build_steps()
    return [record for record in found if record.id not in hidden] if hidden else found


def rows(
    engine: Engine,
    filters: Sequence[str] = (),
    *,
    name: str = "",
    sort: str = "created",
    unnamed: bool = False,
    whole: bool = True,
    digests: bool = True,
    steps: bool = False,
) -> list[ImageRow]:
    """Return one line for each name of each image that `filters` or `name` (a reference filter alone) choose.

    `sort`: created (newest first), id, size, repository, tag. `unnamed`: one line for each image, without a name.
    `whole`, `digests`, `steps`: as in `Images.list`. Raises UsageError.
    """
    if name and filters:
        raise UsageError("cannot specify an image and a filter(s)")
    wanted = [f"reference={name}"] if name else list(filters)
    records = chosen(engine, wanted, whole=whole, digests=digests, steps=steps)
    if unnamed:
        found = [ImageRow(record, "") for record in records]
    else:
        found = [ImageRow(record, one) for record in records for one in _shown_names(record, wanted)]
    return _sorted(found, sort)


def _shown_names(record: ImageRecord, filters: list[str]) -> list[str]:
    names = record.names
    if any(text.startswith("reference=") for text in filters):
        from podpy.libpod.filters.images import names_matching

        names = names_matching(record, filters) or names
    # A name with a digest has no tag: it is shown only if there is no other one.
    return [name for name in names if "@" not in name] or names[:1] or [""]


def _sorted(found: list[ImageRow], field: str) -> list[ImageRow]:
    if field == "id":
        return sorted(found, key=lambda row: row.record.id)
    if field == "size":
        return sorted(found, key=lambda row: row.record.size)
    if field == "repository":
        return sorted(found, key=lambda row: (row.repository, row.tag))
    if field == "tag":
        return sorted(found, key=lambda row: row.tag)
    return found  # the store's order: newest first


def whole_seconds(nanoseconds: int) -> int:
    """Return a time without its fraction, as Podman stores an image's."""
    return nanoseconds // _SECOND * _SECOND


def facts(record: ImageRecord, usage: Usage) -> dict[str, Any]:
    """Return all data that lists may show of an image (a whole record), with the names of Podman's ImageSummary."""
    from podpy.image.documents import describe
    from podpy.times import rfc3339

    config = describe.parse_config(record)
    return {
        "Id": record.id,
        "ParentId": "",
        "RepoTags": describe.repo_tags(record),
        "RepoDigests": describe.repo_digests(record),
        "Size": record.size,
        "SharedSize": 0,
        "VirtualSize": record.size,
        "Labels": dict(config.labels),
        "Containers": usage.containers.get(record.id, 0),
        "Arch": config.architecture,
        "Digest": record.podman_digest,
        "History": usage.names.get(record.id, []),
        "IsManifestList": record.is_list,
        "Names": record.names,
        "Os": config.os,
        "Created": record.created // _SECOND,
        "CreatedAt": rfc3339(whole_seconds(record.created), utc=True),
        "Dangling": not record.names,
    }


def summary(record: ImageRecord, usage: Usage) -> dict[str, Any]:
    """Return an image as in `podpy images --format json`: the facts, without those that Podman omits if empty."""
    data = facts(record, usage)
    if record.names:
        del data["Dangling"]
    for name in ("RepoTags", "Labels"):
        data[name] = data[name] or None
    return {name: value for name, value in data.items() if value not in ("", []) or name == "ParentId"}
