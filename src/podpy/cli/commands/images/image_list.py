"""`podpy images`, `history`, `image tree`: lists."""

from __future__ import annotations

import sys
from time import time_ns

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError
from podpy.image.documents import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.cli.parser.parse import Options
    from podpy.go.template.values import Struct
    from podpy.libpod.runtime import Runtime
    from podpy.storage.images import ImageRecord

_SHORT = 12
_NONE = "<none>"
_HEADINGS = {"ID": "IMAGE ID", "CreatedSince": "CREATED", "Created": "CREATED", "CreatedTime": "CREATED AT"}
_COMMAND_WIDTH = 45


def images(options: Options) -> int:
    """`podpy images`."""
    if options.image and options.filter:
        raise UsageError("cannot specify an image and a filter(s)")
    with open_runtime(options) as runtime:
        rows = _sorted(_rows(runtime, options), options.sort)
        sys.stdout.write(_text(runtime, rows, options))
    return 0


class _Row:
    """One line: an image under one of its names."""

    __slots__ = ("record", "repository", "tag")

    def __init__(self, record: ImageRecord, name: str) -> None:
        self.record = record
        self.repository, self.tag = split_name(name)


def split_name(name: str) -> tuple[str, str]:
    """Return a name's repository and tag as lists show them: "<none>" for what it doesn't have."""
    repository = name.partition("@")[0]
    base, colon, tag = repository.rpartition(":")
    if not colon or "/" in tag:
        base, tag = repository, ""
    return base or _NONE, tag or _NONE


def _rows(runtime: Runtime, options: Options) -> list[_Row]:
    filters = [f"reference={options.image}"] if options.image else list(options.filter)
    whole = bool(options.format)  # a template or JSON may show anything
    if not filters:
        records = runtime.store.images() if whole else runtime.store.image_summaries(digests=options.digests)
    else:
        from podpy.libpod.filters.images import matching

        records = matching(runtime, filters, whole=whole)
    if options.quiet:
        return [_Row(record, "") for record in records]
    return [_Row(record, name) for record in records for name in _shown_names(record, filters)]


def _shown_names(record: ImageRecord, filters: list[str]) -> list[str]:
    names = record.names
    if any(text.startswith("reference=") for text in filters):
        from podpy.libpod.filters.images import names_matching

        names = names_matching(record, filters) or names
    # A name with a digest has no tag: it is only shown where there is no better one.
    return [name for name in names if "@" not in name] or names[:1] or [""]


def _sorted(rows: list[_Row], field: str) -> list[_Row]:
    if field == "id":
        return sorted(rows, key=lambda row: row.record.id)
    if field == "size":
        return sorted(rows, key=lambda row: row.record.size)
    if field == "repository":
        return sorted(rows, key=lambda row: (row.repository, row.tag))
    if field == "tag":
        return sorted(rows, key=lambda row: row.tag)
    return rows  # as the store lists them: the newest first


def _text(runtime: Runtime, rows: list[_Row], options: Options) -> str:
    if options.quiet and options.format != "json":
        ids = [_id(row, options) for row in rows]
        return "".join(f"{text}\n" for text in dict.fromkeys(ids))
    if not options.format:
        return _columns(runtime, rows, options)
    from podpy.cli.show import report

    if report.is_json(options.format):
        from podpy.go.json import indented

        more = _More(runtime)
        records = {row.record.id: row.record for row in rows}
        return indented([_summary(record, more) for record in records.values()], "    ") + "\n"
    more = _More(runtime)
    heading = None if options.noheading or not report.wants_heading(options.format) else _heading(options)
    shown = [_struct(row, more, options) for row in rows]
    return report.render(options.format, shown, heading, default="")


def _id(row: _Row, options: Options) -> str:
    return f"sha256:{row.record.id}" if options.no_trunc else row.record.id[:_SHORT]


def _columns(runtime: Runtime, rows: list[_Row], options: Options) -> str:
    """Return the standard columns without a template: the list of 1,000 images is to be quick."""
    from podpy.go.table import align
    from podpy.go.units import ago, human_size

    now = time_ns()
    columns: dict[str, Callable[[_Row], str]] = {
        "REPOSITORY": lambda row: row.repository,
        "TAG": lambda row: row.tag,
        "DIGEST": lambda row: row.record.shown_digest or _NONE,
        "IMAGE ID": lambda row: _id(row, options),
        "CREATED": lambda row: ago(row.record.created, now),
        "SIZE": lambda row: human_size(row.record.size, precision=3, blank=True),
    }
    if not options.digests:
        del columns["DIGEST"]
    if options.history:
        history = runtime.store.images_table.name_history()
        columns["HISTORY"] = lambda row: ", ".join(history.get(row.record.id, [])) or _NONE
    lines = [] if options.noheading else ["\t".join(columns)]
    lines += ["\t".join(cell(row) for cell in columns.values()) for row in rows]
    return align("\n".join(lines) + "\n") if lines else ""


class _More:
    """What the images' own rows don't say."""

    def __init__(self, runtime: Runtime) -> None:
        table = runtime.store.images_table
        self.users = table.user_counts()
        self.history = table.name_history()


def _heading(options: Options) -> Struct:
    from podpy.cli.show import report
    from podpy.go.template.values import Struct

    names = (
        "Repository", "Tag", "Digest", "ID", "Created", "CreatedSince", "CreatedAt", "CreatedTime", "Size",
        "VirtualSize", "SharedSize", "Labels", "Names", "RepoTags", "RepoDigests", "History", "Containers",
        "Dangling", "ReadOnly", "ParentId", "Arch", "Os", "IsManifestList",
    )  # fmt: skip
    headings = dict(_HEADINGS)
    if options.history:
        headings["History"] = "HISTORY"
    return report.headers(Struct(dict.fromkeys(names, "")), **headings)


def _struct(row: _Row, more: _More, options: Options) -> Struct:
    from podpy.go.template.values import Struct
    from podpy.go.time import GoTime
    from podpy.go.units import ago, human_size
    from podpy.go.view import Shown

    record = row.record
    config = describe.parse_config(record)
    plain = Struct({"repository": row.repository, "tag": row.tag, **_summary(record, more)})
    since = ago(record.created, time_ns())
    created = GoTime(_whole_seconds(record.created), utc=True)
    return Shown(
        {
            "Repository": row.repository,
            "Tag": row.tag,
            "Digest": record.shown_digest or _NONE,
            "ID": _id(row, options),
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
            "History": ", ".join(more.history.get(record.id, [])),
            "Containers": more.users.get(record.id, 0),
            "Dangling": not record.names,
            "ReadOnly": False,
            "ParentId": "",
            "Arch": config.architecture,
            "Os": config.os,
            "IsManifestList": record.is_list,
            "IsDangling": lambda: not record.names,
            "IsReadOnly": lambda: False,
        },
        plain,
    )


def _whole_seconds(nanoseconds: int) -> int:
    # Podman keeps only these of an image's time.
    return nanoseconds // 1_000_000_000 * 1_000_000_000


def _summary(record: ImageRecord, more: _More) -> Struct:
    """Return what `images --format json` says about an image: Podman's ImageSummary."""
    from podpy.go.template.values import Struct
    from podpy.go.time import GoTime

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
        "Containers": more.users.get(record.id, 0),
        "Arch": config.architecture,
        "Digest": record.shown_digest,
        "History": more.history.get(record.id, []),
        "IsManifestList": record.is_list,
        "Names": record.names,
        "Os": config.os,
        "Created": record.created // 1_000_000_000,
        "CreatedAt": GoTime(_whole_seconds(record.created), utc=True).rfc3339(),
    }
    if not record.names:
        data["Dangling"] = True
    if isinstance(data["Labels"], dict):
        data["Labels"] = dict(data["Labels"])
    return Struct({name: value for name, value in data.items() if value not in ("", []) or name == "ParentId"})


def history(options: Options) -> int:
    """`podpy history`."""
    from podpy.cli.show import report

    with open_runtime(options) as runtime:
        steps = describe.history(runtime.store, runtime.image(options.image))
    if options.quiet:
        ids = [step.image_id if options.no_trunc else step.image_id[:_SHORT] for step in steps]
        text = "".join(f"{identity or '<missing>'}\n" for identity in ids)
    elif options.format and report.is_json(options.format):
        from podpy.go.json import compact

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
    from podpy.go.template.values import Struct

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
    from podpy.go.time import GoTime
    from podpy.go.units import ago, human_size
    from podpy.go.view import Shown
    from podpy.times import nanoseconds

    made_by = step.created_by
    if not options.no_trunc and len(made_by) > _COMMAND_WIDTH:
        made_by = made_by[: _COMMAND_WIDTH - 3] + "..."
    at = max(0, nanoseconds(step.created))
    since = ago(at, time_ns())
    created = GoTime(_whole_seconds(at), utc=True).rfc3339() if step.created else ""
    identity = step.image_id if options.no_trunc else step.image_id[:_SHORT]
    plain = _history_json(step)
    del plain["Created"]  # Podman has this field's second spelling in the whole list only
    return Shown(
        {
            "ID": identity or "<missing>",
            "Created": since if options.human else created,
            "CreatedSince": since,
            "CreatedAt": created,
            "CreatedBy": made_by.replace("\t", " ").replace("\n", " "),
            "Size": human_size(step.size, precision=3),
            "Comment": step.comment,
            "Tags": step.names,
        },
        plain,
    )


def tree(options: Options) -> int:
    """`podpy image tree`."""
    from podpy.go.units import human_size

    with open_runtime(options) as runtime:
        record = runtime.image(options.image)
        show = describe.built_on if options.whatrequires else describe.tree
        lines = show(runtime.store, record)
    print(f"Image ID: {record.id[:_SHORT]}")
    print(f"Tags:     [{' '.join(record.names)}]")
    print(f"Size:     {human_size(record.size)}")
    print("Image Layers" if lines else "No Image Layers")
    # A stack, as a tree may be 500 layers deep.
    waiting = [(line, "", number == len(lines) - 1) for number, line in enumerate(lines)][::-1]
    while waiting:
        line, indent, is_last = waiting.pop()
        top = f" Top Layer of: [{' '.join(line.names)}]" if line.names else ""
        identity = line.diff_id.partition(":")[2][:_SHORT]
        print(f"{indent}{'└── ' if is_last else '├── '}ID: {identity} Size: {human_size(line.size):>7}{top}")
        below = indent + ("    " if is_last else "│   ")
        last = len(line.children) - 1
        waiting += [(child, below, number == last) for number, child in enumerate(line.children)][::-1]
    return 0
