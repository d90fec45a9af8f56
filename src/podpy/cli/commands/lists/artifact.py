"""`podpy artifact`: add, extract, inspect, ls, pull, push, rm."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError
from podpy.libpod.images.lists import pairs
from podpy.libpod.images.options import Access, ArtifactOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct
    from podpy.libpod.images.artifacts import Artifact

_SHORT = 12


def add(options: Options) -> int:
    """`podpy artifact add`: prints the digest."""
    wanted = ArtifactOptions(
        annotations=pairs(options.annotation),
        artifact_type=options.type,
        file_type=options.file_type,
        append=options.append,
        replacing=options.replace,
    )
    with open_runtime(options) as runtime:
        print(_hex(runtime.artifacts.add(options.artifact, options.files, wanted)))
    return 0


def extract(options: Options) -> int:
    """`podpy artifact extract`."""
    with open_runtime(options) as runtime:
        runtime.artifacts.extract(options.artifact, options.target, digest=options.digest, title=options.title)
    return 0


def inspect(options: Options) -> int:
    """`podpy artifact inspect`."""
    from podpy.cli.show import report
    from podpy.go.json import indented

    with open_runtime(options) as runtime:
        found = _described(runtime.artifacts.get(options.artifact))
    if report.is_json(options.format) or not options.format:
        print(indented(found))
    else:
        sys.stdout.write(report.render_each(options.format, [found]))
    return 0


def _described(found: Artifact) -> Struct:
    from podpy.go.template.values import Struct

    plain = Struct({"Manifest": _as_json(found.manifest, _MANIFEST), "Name": found.name, "Digest": found.digest})

    class Report(Struct):
        """What a template sees. As JSON, the manifest has its JSON names, without Go's methods and embedded struct."""

        __slots__ = ()

        def json_form(self) -> Struct:
            return plain

    inner = {"Manifest": _as_go(found.manifest, _MANIFEST), "Name": found.name}
    return Report({**inner, "Digest": found.digest, "Artifact": Struct(inner), "TotalSizeBytes": lambda: found.size})


# The fields of image-spec's Go structs, in their order: name in JSON, name in Go, what an absent one is in a template.
_DESCRIPTOR: dict[str, tuple[str, Any]] = {
    "mediaType": ("MediaType", ""),
    "digest": ("Digest", ""),
    "size": ("Size", 0),
    "urls": ("URLs", []),
    "annotations": ("Annotations", {}),
    "data": ("Data", ""),
    "platform": ("Platform", None),
    "artifactType": ("ArtifactType", ""),
}
_MANIFEST: dict[str, tuple[str, Any]] = {
    "schemaVersion": ("SchemaVersion", 0),
    "mediaType": ("MediaType", ""),
    "artifactType": ("ArtifactType", ""),
    "config": ("Config", None),
    "layers": ("Layers", []),
    "subject": ("Subject", None),
    "annotations": ("Annotations", {}),
}
_DESCRIPTORS = ("config", "layers", "subject")


def _as_go(value: dict[str, Any], fields: dict[str, tuple[str, Any]]) -> Struct:
    from podpy.go.template.values import Struct

    return Struct({go: _inner(_as_go, name, value.get(name, absent)) for name, (go, absent) in fields.items()})


def _as_json(value: dict[str, Any], fields: dict[str, tuple[str, Any]]) -> Struct:
    from podpy.go.template.values import Struct

    return Struct({name: _inner(_as_json, name, value[name]) for name in fields if name in value})


def _inner(convert: Callable[[dict[str, Any], dict[str, tuple[str, Any]]], Struct], name: str, value: Any) -> Any:
    if name in _DESCRIPTORS and isinstance(value, list):
        return [_inner(convert, name, item) for item in value]
    # A pull checks only the fields that podpy uses; `subject` may be anything.
    return convert(value, _DESCRIPTOR) if name in _DESCRIPTORS and isinstance(value, dict) else value


def ls(options: Options) -> int:
    """`podpy artifact ls`."""
    from podpy.cli.show import report

    with open_runtime(options) as runtime:
        rows = [_row(found, options) for found in runtime.artifacts.list()]
    heading = None
    if not options.noheading:
        from podpy.go.template.values import Struct

        heading = report.headers(Struct(dict.fromkeys(_COLUMNS, "")))
    default = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.Created}}\t{{.Size}}"
    sys.stdout.write(report.listed(options.format, rows, heading, default=default, indent="    "))
    return 0


_COLUMNS = ("Digest", "Repository", "Size", "Tag", "VirtualSize", "Created", "CreatedAt")


def _row(found: Artifact, options: Options) -> Struct:
    from time import time_ns

    from podpy.go.template.values import Struct
    from podpy.go.time import GoTime
    from podpy.go.units import ago, human_size

    digest = _hex(found.digest)
    values = {
        "Digest": digest if options.no_trunc else digest[:_SHORT],
        "Repository": found.repository,
        "Size": human_size(found.size),
        "Tag": found.tag,
        "VirtualSize": str(found.size),
        "Created": ago(found.created, time_ns()) if found.created else "",
        "CreatedAt": str(GoTime(found.created, utc=True)) if found.created else "",
    }
    return Struct({name: values[name] for name in _COLUMNS})


def pull(options: Options) -> int:
    """`podpy artifact pull`."""
    from podpy.cli.show.image_progress import FailuresTold, make, tell_result

    progress = make(quiet=options.quiet, style=options.progress)
    name = options.artifact
    with FailuresTold(progress, name), open_runtime(options) as runtime:
        digest = runtime.artifacts.pull(name, _access(options), progress=progress)
    tell_result(progress, "artifact", name=name, digest=digest)
    return 0


def push(options: Options) -> int:
    """`podpy artifact push`: prints nothing but its progress."""
    from podpy.cli.commands.images.push import write_digest
    from podpy.cli.show.image_progress import FailuresTold, make, tell_result

    progress = make(quiet=options.quiet, style=options.progress)
    name = options.artifact
    with FailuresTold(progress, name), open_runtime(options) as runtime:
        digest = runtime.artifacts.push(name, _access(options), progress=progress)
    if options.digestfile:
        write_digest(options.digestfile, digest)
    tell_result(progress, "pushed", name=name, digest=digest)
    return 0


def _access(options: Options) -> Access:
    from podpy.cli.registry_options import access_fields

    return Access(**access_fields(options))


def rm(options: Options) -> int:
    """`podpy artifact rm`: prints the digests of the artifacts that it removed."""
    if options.all and options.artifacts:
        raise UsageError("when using the --all switch, you may not pass any artifact names or digests")
    if not options.all and not options.artifacts:
        raise UsageError("at least one artifact name or digest must be specified")
    with open_runtime(options) as runtime:
        for digest in runtime.artifacts.remove(options.artifacts, every=options.all, ignore=options.ignore):
            print(_hex(digest))
    return 0


def _hex(digest: str) -> str:
    return digest.partition(":")[2]
