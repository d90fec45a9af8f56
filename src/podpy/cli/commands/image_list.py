"""`podpy images`, `history`, `image tree`: lists."""

from __future__ import annotations

import sys
from time import time_ns

from podpy.cli.engine import open_runtime
from podpy.image import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.gotemplate.values import Struct
    from podpy.cli.parse import Options
    from podpy.libpod.runtime import Runtime
    from podpy.storage.images import ImageRecord

_SHORT = 12
_NONE = "<none>"
_HEADINGS = {"ID": "IMAGE ID", "CreatedSince": "CREATED", "Created": "CREATED", "CreatedTime": "CREATED AT"}
_COMMAND_WIDTH = 45


def images(options: Options) -> int:
    """`podpy images`."""
    with open_runtime(options) as runtime:
        rows = _sorted(_rows(runtime, options), options.sort)
        sys.stdout.write(_text(runtime, rows, options))
    return 0


class _Row:
    """One line: an image under one of its names."""

    def __init__(self, record: ImageRecord, name: str) -> None:
        self.record = record
        repository, _, self.digest_of_name = name.partition("@")
        base, colon, tag = repository.rpartition(":")
        if not colon or "/" in tag:
            base, tag = repository, ""
        self.repository = base or _NONE
        self.tag = tag or _NONE


def _rows(runtime: Runtime, options: Options) -> list[_Row]:
    records = runtime.store.images()
    filters = list(options.filter)
    if options.image:
        filters.append(f"reference={options.image}")
    if filters:
        from podpy.cli.image_filters import matching

        records = matching(runtime, records, filters)
    if options.quiet:
        return [_Row(record, "") for record in records]
    return [_Row(record, name) for record in records for name in _shown_names(record, filters) or [""]]


def _shown_names(record: ImageRecord, filters: list[str]) -> list[str]:
    if not any(text.startswith("reference=") for text in filters):
        return record.names
    from podpy.cli.image_filters import names_matching

    return names_matching(record, filters) or record.names


def _sorted(rows: list[_Row], field: str) -> list[_Row]:
    if field == "id":
        return sorted(rows, key=lambda row: row.record.id)
    if field == "size":
        return sorted(rows, key=lambda row: row.record.size)
    if field == "repository":
        return sorted(rows, key=lambda row: (row.repository, row.tag))
    if field == "tag":
        return sorted(rows, key=lambda row: row.tag)
    return sorted(rows, key=lambda row: -row.record.created)


def _text(runtime: Runtime, rows: list[_Row], options: Options) -> str:
    if options.quiet:
        ids = [f"sha256:{row.record.id}" if options.no_trunc else row.record.id[:_SHORT] for row in rows]
        return "".join(f"{text}\n" for text in dict.fromkeys(ids))
    from podpy.cli import report

    if options.format and report.is_json(options.format):
        from podpy.cli.gojson import indented

        records = {row.record.id: row.record for row in rows}
        return indented([_summary(runtime, record) for record in records.values()], "    ") + "\n"
    heading = None if options.noheading or not report.wants_heading(options.format) else _heading(options)
    default = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
    if options.digests:
        default = default.replace("{{.ID}}", "{{.Digest}}\t{{.ID}}")
    if options.history:
        default += "\t{{.History}}"
    shown = [_struct(runtime, row, options) for row in rows]
    return report.render(options.format, shown, heading, default=default)


def _heading(options: Options) -> Struct:
    from podpy.cli import report
    from podpy.cli.gotemplate.values import Struct

    names = (
        "Repository", "Tag", "Digest", "ID", "Created", "CreatedSince", "CreatedAt", "CreatedTime", "Size",
        "VirtualSize", "SharedSize", "Labels", "Names", "RepoTags", "RepoDigests", "History", "Containers",
        "Dangling", "ReadOnly", "ParentId", "Arch", "Os", "IsManifestList",
    )  # fmt: skip
    headings = dict(_HEADINGS)
    if options.history:
        headings["History"] = "HISTORY"
    return report.headers(Struct(dict.fromkeys(names, "")), **headings)


def _struct(runtime: Runtime, row: _Row, options: Options) -> Struct:
    from podpy.cli.gotemplate.values import Struct
    from podpy.cli.gotime import GoTime
    from podpy.cli.units import ago, human_size

    record = row.record
    config = describe.parse_config(record)
    since = ago(record.created, time_ns())
    created = GoTime(record.created, utc=True)
    return Struct(
        {
            "Repository": row.repository,
            "Tag": row.tag,
            "Digest": record.digest or _NONE,
            "ID": f"sha256:{record.id}" if options.no_trunc else record.id[:_SHORT],
            "Id": record.id,
            "Created": since,
            "CreatedSince": since,
            "CreatedAt": created,
            "CreatedTime": created,
            "Size": human_size(record.size, precision=3, blank=True),
            "VirtualSize": record.size,
            "SharedSize": 0,
            "Labels": config.labels,
            "Names": record.names,
            "RepoTags": describe.repo_tags(record),
            "RepoDigests": describe.repo_digests(record),
            "History": ", ".join(reversed(record.names)),
            "Containers": len(runtime.store.image_users(record.id)),
            "Dangling": not record.names,
            "ReadOnly": False,
            "ParentId": "",
            "Arch": config.architecture,
            "Os": config.os,
            "IsManifestList": record.is_list,
        }
    )


def _summary(runtime: Runtime, record: ImageRecord) -> Struct:
    """Return what `images --format json` says about an image: Podman's ImageSummary."""
    from podpy.cli.gotemplate.values import Struct
    from podpy.cli.gotime import GoTime

    config = describe.parse_config(record)
    data: dict[str, Any] = {
        "Id": record.id,
        "ParentId": "",
        "RepoTags": describe.repo_tags(record) or None,
        "RepoDigests": describe.repo_digests(record),
        "Size": record.size,
        "SharedSize": 0,
        "VirtualSize": record.size,
        "Labels": config.labels or None,
        "Containers": len(runtime.store.image_users(record.id)),
        "Arch": config.architecture,
        "Digest": record.digest,
        "History": list(reversed(record.names)),
        "IsManifestList": record.is_list,
        "Names": record.names,
        "Os": config.os,
        "Created": record.created // 1_000_000_000,
        "CreatedAt": GoTime(record.created, utc=True).rfc3339(),
    }
    if not record.names:
        data["Dangling"] = True
    if isinstance(data["Labels"], dict):
        data["Labels"] = dict(data["Labels"])
    return Struct({name: value for name, value in data.items() if value not in ("", []) or name == "ParentId"})


def history(options: Options) -> int:
    """`podpy history`."""
    from podpy.cli import report

    with open_runtime(options) as runtime:
        steps = describe.history(runtime.store, runtime.image(options.image))
    if options.quiet:
        ids = [step.image_id if options.no_trunc else step.image_id[:_SHORT] for step in steps]
        text = "".join(f"{identity or '<missing>'}\n" for identity in ids)
    elif options.format and report.is_json(options.format):
        from podpy.cli.gojson import compact

        text = compact([_history_json(step) for step in steps]) + "\n"
    else:
        heading = report.headers(_step_struct(steps[0], options), CreatedSince="CREATED") if steps else None
        if not report.wants_heading(options.format):
            heading = None
        default = "{{.ID}}\t{{.Created}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
        text = report.render(options.format, [_step_struct(step, options) for step in steps], heading, default=default)
    sys.stdout.write(text)
    return 0


def _history_json(step: describe.Step) -> Struct:
    from podpy.cli.gotemplate.values import Struct

    data: dict[str, Any] = {
        "id": step.image_id or "<missing>",
        "created": step.created,
        "CreatedBy": step.created_by,
        "size": step.size,
    }
    if step.names:
        data["tags"] = step.names
    if step.comment:
        data["comment"] = step.comment
    data["Created"] = step.created
    return Struct(data)


def _step_struct(step: describe.Step, options: Options) -> Struct:
    from podpy.cli.gotemplate.values import Struct
    from podpy.cli.units import ago, human_size
    from podpy.image.assemble import timestamp

    made_by = step.created_by
    if not options.no_trunc and len(made_by) > _COMMAND_WIDTH:
        made_by = made_by[: _COMMAND_WIDTH - 3] + "..."
    since = ago(timestamp(step.created), time_ns())
    identity = step.image_id if options.no_trunc else step.image_id[:_SHORT]
    return Struct(
        {
            "ID": identity or "<missing>",
            "Created": since if options.human else step.created,
            "CreatedSince": since,
            "CreatedAt": step.created,
            "CreatedBy": made_by.replace("\t", " ").replace("\n", " "),
            "Size": human_size(step.size, precision=3, blank=True) if options.human else step.size,
            "Comment": step.comment,
            "Tags": step.names,
        }
    )


def tree(options: Options) -> int:
    """`podpy image tree`."""
    from podpy.cli.units import human_size

    with open_runtime(options) as runtime:
        record = runtime.image(options.image)
        lines = describe.tree(runtime.store, record)
    print(f"Image ID: {record.id[:_SHORT]}")
    print(f"Tags:     [{' '.join(record.names)}]")
    print(f"Size:     {human_size(record.size)}")
    print("Image Layers" if lines else "No Image Layers")
    for number, line in enumerate(lines):
        corner = "└── " if number == len(lines) - 1 else "├── "
        top = f" Top Layer of: [{' '.join(line.names)}]" if line.names else ""
        identity = line.diff_id.partition(":")[2][:_SHORT]
        print(f"{corner}ID: {identity} Size: {human_size(line.size, precision=3):>7}{top}")
    return 0
