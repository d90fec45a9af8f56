"""`podpy images`, `history`, `image tree`: lists."""

from __future__ import annotations

import sys
from time import time_ns

from podpy.cli.engine import open_runtime
from podpy.libpod.images.rows import NONE, facts, summary, whole_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct
    from podpy.image.documents.describe import Step
    from podpy.libpod.images.rows import ImageRow, Usage
    from podpy.libpod.runtime import Runtime

_SHORT = 12
_HEADINGS = {
    "ID": "IMAGE ID", "CreatedSince": "CREATED", "Created": "CREATED", "CreatedTime": "CREATED AT", "ReadOnly": "R/O"
}  # fmt: skip
_COMMAND_WIDTH = 45


def images(options: Options) -> int:
    """`podpy images`."""
    with open_runtime(options) as runtime:
        sys.stdout.write(_text(runtime, _rows(runtime, options), options))
    return 0


def _rows(runtime: Runtime, options: Options) -> list[ImageRow]:
    return runtime.images.rows(
        options.filter,
        name=options.image or "",
        sort=options.sort,
        unnamed=options.quiet,
        whole=bool(options.format),  # a template or JSON may show anything
        digests=options.digests,
        steps=options.all,
    )


def _text(runtime: Runtime, rows: list[ImageRow], options: Options) -> str:
    if options.quiet and options.format != "json":
        ids = [_id(row, options) for row in rows]
        return "".join(f"{text}\n" for text in dict.fromkeys(ids))
    if not options.format:
        return _columns(runtime, rows, options)
    from podpy.cli.show import report

    if report.is_json(options.format):
        from podpy.go.json import indented
        from podpy.go.template.values import Struct

        usage = runtime.images.usage()
        shown = [Struct({**summary(row.record, usage), "Repository": row.repository, "Tag": row.tag}) for row in rows]
        return indented(shown, "    ") + "\n"
    usage = runtime.images.usage()
    heading = None if options.noheading or not report.wants_heading(options.format) else _heading(options)
    shown = [_struct(row, usage, options) for row in rows]
    return report.render(options.format, shown, heading, default="")


def _id(row: ImageRow, options: Options) -> str:
    return f"sha256:{row.record.id}" if options.no_trunc else row.record.id[:_SHORT]


def _columns(runtime: Runtime, rows: list[ImageRow], options: Options) -> str:
    """Return the standard columns without using a template: a template is too slow for 1,000 images."""
    from podpy.go.table import align
    from podpy.go.units import ago, human_size

    now = time_ns()
    columns: dict[str, Callable[[ImageRow], str]] = {
        "REPOSITORY": lambda row: row.repository,
        "TAG": lambda row: row.tag,
        "DIGEST": lambda row: row.record.podman_digest or NONE,
        "IMAGE ID": lambda row: _id(row, options),
        "CREATED": lambda row: ago(row.record.created, now),
        "SIZE": lambda row: human_size(row.record.size, precision=3, blank=True),
    }
    if not options.digests:
        del columns["DIGEST"]
    if options.history:
        history = runtime.images.usage().names
        columns["HISTORY"] = lambda row: ", ".join(history.get(row.record.id, [])) or NONE
    lines = [] if options.noheading else ["\t".join(columns)]
    lines += ["\t".join(cell(row) for cell in columns.values()) for row in rows]
    return align("\n".join(lines) + "\n") if lines else ""


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


def _struct(row: ImageRow, usage: Usage, options: Options) -> Struct:
    from podpy.go.template.values import Struct
    from podpy.go.time import GoTime
    from podpy.go.units import ago, human_size
    from podpy.go.view import Shown

    record = row.record
    said = facts(record, usage)
    plain = Struct({"repository": row.repository, "tag": row.tag, **summary(record, usage)})
    since = ago(record.created, time_ns())
    created = GoTime(whole_seconds(record.created), utc=True)
    same = ("Id", "ParentId", "VirtualSize", "SharedSize", "Labels", "Names", "RepoTags", "RepoDigests", "Containers",
            "Dangling", "Arch", "Os", "IsManifestList")  # fmt: skip
    return Shown(
        {
            **{name: said[name] for name in same},
            "Repository": row.repository,
            "Tag": row.tag,
            "Digest": record.podman_digest or NONE,
            "ID": _id(row, options),
            "Created": since,
            "CreatedSince": since,
            "CreatedAt": created,
            "CreatedTime": created,
            "Size": human_size(record.size, precision=3, blank=True),
            "History": ", ".join(said["History"]),
            "ReadOnly": False,
            "IsDangling": lambda: not record.names,
            "IsReadOnly": lambda: False,
        },
        plain,
    )


def history(options: Options) -> int:
    """`podpy history`."""
    from podpy.cli.show import report

    with open_runtime(options) as runtime:
        steps = runtime.images.history(options.image)
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


def _history_json(step: Step) -> Struct:
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


def _step_struct(step: Step, options: Options) -> Struct:
    from podpy.go.time import GoTime
    from podpy.go.units import ago, human_size
    from podpy.go.view import Shown

    made_by = step.created_by
    if not options.no_trunc and len(made_by) > _COMMAND_WIDTH:
        made_by = made_by[: _COMMAND_WIDTH - 3] + "..."
    at = step.created_at
    since = ago(at, time_ns())
    created = GoTime(whole_seconds(at), utc=True).rfc3339() if step.created else ""
    identity = step.image_id if options.no_trunc else step.image_id[:_SHORT]
    plain = _history_json(step)
    del plain["Created"]  # Podman has this second spelling only where the whole list is printed
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
        record, lines = runtime.images.tree(options.image, children=options.whatrequires)
    print(f"Image ID: {record.id[:_SHORT]}")
    print(f"Tags:     [{' '.join(record.names)}]")
    print(f"Size:     {human_size(record.size)}")
    print("Image Layers" if lines else "No Image Layers")
    # A stack instead of recursion: a tree may be 500 layers deep.
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
