"""Images on Podman's paths."""

from __future__ import annotations

import os
import re

from podpy import fastjson
from podpy.api.call import JSON_TYPE, Answer
from podpy.api.compat.files import KINDS
from podpy.api.errors import HttpError, message_of
from podpy.api.libpod import answers, credentials
from podpy.errors import InUseError, NoSuchImageError, PodpyError
from podpy.go.view import view
from podpy.image.documents.describe import Step
from podpy.image.options import STDOUT, ImportOptions, PushOptions, SaveOptions
from podpy.image.progress import Spoken
from podpy.image.registry.access import PULL_POLICIES, PullOptions
from podpy.libpod.images.rows import summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from podpy.api.call import Call

_TAR = "application/x-tar"
_PIECE = 256 << 10
_STDOUT = 1
_SHORT = 12
_TELLS_DIGEST = (5, 0)  # older clients take an unknown field for an error
_NAME = re.compile(r"[\w.-]{1,128}", re.ASCII)


def listed(call: Call) -> Answer:
    """List images: Podman's ImageSummary."""
    images = call.runtime.images
    found, usage = images.list(call.query["filters"], steps=call.query["all"]), images.usage()
    return Answer([summary(record, usage) for record in found])


def exists(call: Call) -> Answer:
    """Say whether there is such an image."""
    return answers.exists(call.runtime.images.exists(call.path["name"]), "image")


def inspect(call: Call) -> Answer:
    """Return everything about an image: Podman's ImageData."""
    return answers.go(view(_known(call, lambda name: call.runtime.images.inspect(name)), "Image"))


def _known(call: Call, work: Callable[[str], Any]) -> Any:
    """Do what concerns the image that the path names. Raises NoSuchImageError in Podman's words."""
    name = call.path["name"]
    try:
        return work(name)
    except NoSuchImageError as error:
        raise NoSuchImageError(f"failed to find image {name}: {name}: image not known", hint=error.hint) from None


def history(call: Call) -> Answer:
    """List the steps by which an image was made."""
    return Answer([_step(each) for each in _known(call, call.runtime.images.history)])


def _step(step: Step) -> dict[str, Any]:
    return {
        "Id": step.image_id or "<missing>",
        "Created": step.created_at // 1_000_000_000,
        "CreatedBy": step.created_by,
        "Tags": step.names or None,
        "Size": step.size,
        "Comment": step.comment,
    }


def tree(call: Call) -> Answer:
    """Show an image's layers as a text."""
    record, layers = _known(call, lambda name: call.runtime.images.tree(name, children=call.query["whatrequires"]))
    head = f"Image ID: {record.id[:_SHORT]}\nTags:     [{' '.join(record.names)}]\nSize:     {record.size}B\n"
    return Answer({"Tree": "\n".join([f"{head}Image Layers", *(f"└── {layer}" for layer in map(_layer, layers)), ""])})


def _layer(line: Any) -> str:
    return f"ID: {line.diff_id.rpartition(':')[2][:_SHORT]} Size: {line.size}B"


def changes(call: Call) -> Answer:
    """List what differs from the layer below: 0 changed, 1 added, 2 deleted."""
    found = _known(call, lambda name: call.runtime.images.diff(name, call.query["parent"]))
    return Answer([{"Path": each.path, "Kind": KINDS[each.kind]} for each in found])


def tag(call: Call) -> Answer:
    """Give an image one more name."""
    repo, version = call.query["repo"], call.query["tag"] or "latest"
    if not repo or not _NAME.fullmatch(version):
        raise HttpError(400, "repo and tag are required")
    _known(call, lambda name: call.runtime.images.tag(name, [f"{repo}:{version}"]))
    return Answer(status=201)


def untag(call: Call) -> Answer:
    """Take a name away from an image, or all."""
    repo, version = call.query["repo"], call.query["tag"]
    names = [f"{repo}:{version}" if version else repo] if repo else []
    _known(call, lambda name: call.runtime.images.untag(name, names))
    return Answer(status=201)


def remove(call: Call) -> Answer:
    """Remove an image, or only one of its names."""
    force = call.query["force"]

    def work(name: str) -> list[str]:
        return call.runtime.images.remove(name, force=force, containers=force)

    return Answer(removal_report(_known(call, work), []))


def remove_several(call: Call) -> Answer:
    """Remove images, or all."""
    query = call.query
    lines: list[str] = []
    errors: list[PodpyError] = []
    removals = call.runtime.images.remove_several(
        query["images"], every=query["all"], force=query["force"], ignore=query["ignore"]
    )
    for each in removals:
        lines += each.lines
        errors += [each.error] if each.error else []
    return Answer(removal_report(lines, errors))


def removal_report(lines: list[str], errors: list[PodpyError]) -> dict[str, Any]:
    """Return Podman's ImageRemoveReport; `lines` are those of podman-rmi(1)."""
    code = 0
    if errors:
        code = 1 if all(isinstance(each, NoSuchImageError) for each in errors) else 125
        code = 2 if code != 1 and any(isinstance(each, InUseError) for each in errors) else code
    return {
        "Deleted": [line.removeprefix("Deleted: ") for line in lines if line.startswith("Deleted: ")] or None,
        "Untagged": [line.removeprefix("Untagged: ") for line in lines if line.startswith("Untagged: ")] or None,
        "Errors": answers.reasons(errors),
        "ExitCode": code,
    }


def prune(call: Call) -> Answer:
    """Remove images that no container uses."""
    query = call.query
    done = call.runtime.images.prune(query["filters"], every=query["all"], build_cache=query["buildcache"])
    return answers.pruned(done)


def search(call: Call) -> Answer:
    """Search registries."""
    query = call.query
    if not query["term"]:
        raise HttpError(400, "term is required: what is searched for")
    from podpy.image.registry.access import Access

    access = Access(**credentials.fields(call, query["term"]))
    found = call.runtime.registries.search(query["term"], access, filters=query["filters"], limit=query["limit"] or 0)
    return Answer(
        [
            {
                "Index": each.index,
                "Name": each.name,
                "Description": each.description,
                "Stars": each.stars,
                "Official": "[OK]" if each.official else "",
                "Automated": "",
                "Tag": "",
            }
            for each in found
        ]
    )


class _Lines(Spoken):
    """Sends what a transfer tells as Podman's lines; the answer begins with the first of them."""

    def __init__(self, call: Call, *, quiet: bool, key: str = "stream") -> None:
        self._call = call
        self._quiet = quiet
        self._key = key

    def send(self, value: dict[str, Any]) -> None:
        """Send one line."""
        connection = self._call.connection
        if not connection.is_begun:
            connection.begin(200, [("Content-Type", JSON_TYPE)])
        connection.write((fastjson.dumps_readable(value) + "\n").encode("utf-8", "surrogateescape"))

    def say(self, text: str) -> None:
        if not self._quiet:
            self.send({self._key: f"{text}\n"})

    def layer_done(self, digest: str) -> None:
        self.say(f"Copying blob {digest}")


def _told(call: Call, lines: _Lines, work: Callable[[], dict[str, Any]]) -> None:
    """Do a transfer, and send its result or its error as the last line; an error before the first is a status."""
    try:
        last = work()
    except PodpyError as error:
        if not call.connection.is_begun:
            raise
        last = {"error": message_of(error)}
    lines.send(last)
    call.connection.end()


def pull(call: Call) -> None:
    """Pull an image, and tell how it goes on."""
    query = call.query
    reference, policy = query["reference"], query["policy"].lower() or "always"
    if not reference:
        raise HttpError(400, "reference is required: the name of the image to pull")
    if policy not in PULL_POLICIES:
        raise HttpError(400, f"unsupported pull policy {policy!r}: it must be one of {', '.join(PULL_POLICIES)}")
    platform = {name.lower(): query[name] for name in ("OS", "Arch", "Variant")}
    options = PullOptions(policy=policy, **platform, **credentials.fields(call, reference))
    lines = _Lines(call, quiet=query["quiet"])

    def work() -> dict[str, Any]:
        images = call.runtime.images
        names = images.all_tags(reference, options) if query["allTags"] else [reference]
        ids = [record.id for name in names for record in images.pull(name, options, progress=lines)]
        return {"images": ids, "id": ids[-1] if ids else ""}

    _told(call, lines, work)


def push(call: Call) -> Answer | None:
    """Push an image, and tell how it goes on."""
    query, name = call.query, call.path["name"]
    formats = {"": "", "oci": "oci", "v2s2": "v2s2", "docker": "v2s2"}
    if query["format"] not in formats:
        raise HttpError(400, f"unknown format {query['format']!r}: it must be oci or v2s2")
    target = query["destination"] or name
    options = PushOptions(
        format=formats[query["format"]],
        compression=query["compressionFormat"],
        level=query["compressionLevel"],
        recompress=query["forceCompressionFormat"],
        **credentials.fields(call, target.removeprefix("docker://")),
    )
    _known(call, call.runtime.images.get)
    lines = _Lines(call, quiet=query["quiet"])

    def work() -> dict[str, Any]:
        digest = call.runtime.images.push(name, query["destination"], options, progress=lines)
        return {"manifestdigest": digest} if call.version >= _TELLS_DIGEST else {"stream": f"{digest}\n"}

    _told(call, lines, work)
    return None


def load(call: Call) -> Answer:
    """Load the images of an archive."""
    source = call.connection.body_pipe()
    try:
        names = call.runtime.images.load(source)
    finally:
        os.close(source)
    return Answer({"Names": names})


def import_(call: Call) -> Answer:
    """Make an image of a tar of a root file system: the body, or a URL's."""
    query = call.query
    options = ImportOptions(
        changes=query["changes"],
        message=query["message"],
        os=query["OS"],
        architecture=query["Architecture"],
        variant=query["Variant"],
    )
    if query["url"]:
        record = call.runtime.images.import_(query["url"], query["reference"], options)
    else:
        source = call.connection.body_pipe()
        try:
            record = call.runtime.images.import_(source, query["reference"], options)
        finally:
            os.close(source)
    return Answer({"Id": record.id})


def export(call: Call) -> None:
    """Send an archive of images."""
    names = call.query["references"]
    if not names:
        raise HttpError(400, "references is required: the images to save")
    _send(call, names, multiple=True)


def get(call: Call) -> None:
    """Send an archive of one image."""
    _known(call, call.runtime.images.get)
    _send(call, [call.path["name"]], multiple=False)


def _send(call: Call, names: list[str], *, multiple: bool) -> None:
    """Save to a file first: an archive's head has digests of what follows, and an error still is a status."""
    wanted = SaveOptions(
        format=call.query["format"] or "docker-archive",
        multiple=multiple,
        compress=call.query["compress"],
    )
    if wanted.format not in ("docker-archive", "oci-archive"):
        raise HttpError(501, f"the format {wanted.format} isn't supported: an answer is one file")
    with _saved(call, names, wanted) as archive:
        call.connection.begin(200, [("Content-Type", _TAR)])
        while piece := archive.read(_PIECE):
            call.connection.write(piece)
    call.connection.end()


def _saved(call: Call, names: list[str], wanted: SaveOptions) -> BinaryIO:
    """Return a file without a name, of which a kill leaves nothing, with an archive of the images."""
    file = os.open(call.runtime.paths.graphroot, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    archive = os.fdopen(file, "rb")
    own = os.dup(_STDOUT)
    try:
        os.dup2(file, _STDOUT)
        call.runtime.images.save(names, STDOUT, wanted)
    except BaseException:
        archive.close()
        raise
    finally:
        os.dup2(own, _STDOUT)
        os.close(own)
    archive.seek(0)
    return archive
