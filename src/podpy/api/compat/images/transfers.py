"""Images come and go: create (pull, import), push, load, get."""

from __future__ import annotations

import os

from podpy.api.compat.files import send
from podpy.api.compat.images.access import credentials, verifies
from podpy.api.compat.images.names import familiar, find, full, has_tag, tagged
from podpy.api.compat.images.reporting import Layers, Lines
from podpy.api.errors import HttpError
from podpy.errors import (
    NotThereError,
    PodpyError,
    RegistryError,
    UsageError,
)
from podpy.image.options import STDOUT, ImportOptions, PushOptions, SaveOptions
from podpy.image.registry.access import PullOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call
    from podpy.storage.images import ImageRecord

_TAR = "application/x-tar"


def create(call: Call) -> None:
    """Pull an image, or make one of a tar."""
    if call.query["fromImage"]:
        _pull(call)
    elif call.query["fromSrc"]:
        _import(call)
    else:
        raise HttpError(400, "invalid reference format: neither fromImage nor fromSrc is given")


# Pull


def _pull(call: Call) -> None:
    """Pull an image; without a tag all of a repository, as dockerd does."""
    name = full(call.query["fromImage"], tag=call.query["tag"])
    options = PullOptions(
        credentials=credentials(call), tls_verify=verifies(name), platform=call.query["platform"], policy="always"
    )
    lines = Lines(call)
    try:
        names = [name] if has_tag(name) else call.runtime.images.all_tags(name, options)
        for each in names:
            _pull_one(call, each, options, lines)
    except Exception as error:
        lines.fail(_told(error, name))
        return
    lines.end()


def _pull_one(call: Call, name: str, options: PullOptions, lines: Lines) -> None:
    before = _known(call, name)
    path = _split(name)[0].partition("/")[2]
    progress = Layers(
        lines, first=f"Pulling from {path}", there="Already exists", moving="Downloading", moved="Pull complete"
    )
    [record] = call.runtime.images.pull(name, options, progress=progress)
    progress.begin()
    lines.write(status=f"Digest: {record.podman_digest or record.digest}")
    for warning in call.warnings:
        lines.write(status=f"WARNING: {warning}")
    call.warnings.clear()
    shown = familiar(name)
    is_new = record.id != before
    lines.write(status=f"Status: {'Downloaded newer image' if is_new else 'Image is up to date'} for {shown}")


def _split(name: str) -> tuple[str, str]:
    """Return a full name's repository, and its tag or digest."""
    repository, at, digest = name.partition("@")
    if at:
        return repository, digest
    base, _, tag = name.rpartition(":")
    return base, tag


def _known(call: Call, name: str) -> str:
    try:
        return call.runtime.images.get(name).id
    except PodpyError:
        return ""


def _told(error: Exception, name: str) -> Exception:
    """Return an error as dockerd tells it: what a registry hasn't is not found, whatever else it says a failure."""
    if isinstance(error, NotThereError):
        return HttpError(404, f"manifest for {familiar(name)} not found: manifest unknown: {error.message}")
    if isinstance(error, UsageError):
        return HttpError(400, error.message)
    if isinstance(error, RegistryError):
        return HttpError(500, error.message)
    return error


# Import


def _import(call: Call) -> None:
    query, source = call.query, call.query["fromSrc"]
    name = tagged(full(query["repo"], tag=query["tag"])) if query["repo"] else ""
    options = ImportOptions(changes=query["changes"], message=query["message"], **_platform(query["platform"]))
    lines = Lines(call)
    descriptor = call.connection.body_pipe() if source == "-" else -1
    try:
        record = call.runtime.images.import_(descriptor if source == "-" else _address(source), name, options)
    except Exception as error:
        lines.fail(_told(error, source))
        return
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    lines.write(status=f"sha256:{record.id}")
    lines.end()


def _address(text: str) -> str:
    """Return where a tar is on the web: a path of this machine is nothing that a client may name."""
    if text.startswith(("http://", "https://")):
        return text
    if "://" in text:
        raise HttpError(400, f"fromSrc: {text}: only http and https")
    return f"http://{text}"


def _platform(text: str) -> dict[str, str]:
    if not text:
        return {}
    os_name, _, rest = text.partition("/")
    architecture, _, variant = rest.partition("/")
    return {"os": os_name, "architecture": architecture, "variant": variant}


# Push


def push(call: Call) -> None:
    """Push an image; without a tag all of its repository's, as dockerd does. Errors are lines, too."""
    name = full(call.name, tag=call.query["tag"])
    lines = Lines(call)
    lines.write(status=f"The push refers to repository [{name if not has_tag(name) else _split(name)[0]}]")
    try:
        for each in _to_push(call, name):
            _push_one(call, each, lines)
    except Exception as error:
        lines.fail(_told(error, name))
        return
    lines.end()


def _to_push(call: Call, name: str) -> list[str]:
    """Return the names of this repository that are here. Raises HttpError."""
    if has_tag(name):
        find_here = [name] if name in call.runtime.store.images_table.all_names() else []
    else:
        find_here = [each for each in call.runtime.store.images_table.all_names() if each.startswith(f"{name}:")]
    if not find_here:
        raise HttpError(404, f"An image does not exist locally with the tag: {familiar(_split(tagged(name))[0])}")
    return find_here


def _push_one(call: Call, name: str, lines: Lines) -> None:
    progress = Layers(lines, first="", there="Layer already exists", moving="Pushing", moved="Pushed", is_push=True)
    options = PushOptions(credentials=credentials(call), tls_verify=verifies(name), platform=call.query["platform"])
    digest = call.runtime.images.push(name, f"docker://{name}", options, progress=progress)
    record, _ = find(call, name)
    size = len(call.runtime.store.images_table.manifest(digest) or record.manifest)
    tag = _split(name)[1]
    lines.write(status=f"{tag}: digest: {digest} size: {size}")
    lines.write(progressDetail={}, aux={"Tag": tag, "Digest": digest, "Size": size})


# Archives


def load(call: Call) -> None:
    """Load the images of an archive, and tell their names. Errors are lines, too."""
    lines = Lines(call)
    descriptor = call.connection.body_pipe()
    lines.begin()
    try:
        names = call.runtime.images.load(descriptor)
    except Exception as error:
        lines.fail(error)
        return
    finally:
        os.close(descriptor)
    for name in names:
        kind = "Loaded image ID" if name.startswith("sha256:") else "Loaded image"
        lines.write(stream=f"{kind}: {familiar(name)}\n")
    lines.end()


def get(call: Call) -> None:
    """Send an archive of one image."""
    _send(call, [call.name])


def get_several(call: Call) -> None:
    """Send an archive of several images."""
    names = [name for text in call.query["names"] for name in text.split(",") if name]
    if not names:
        raise HttpError(400, "no images to save: names is empty")
    _send(call, names)


def _send(call: Call, names: list[str]) -> None:
    found = [_name_of(*find(call, name)) for name in names]

    def work(out: int) -> None:
        os.dup2(out, 1)
        call.runtime.images.save(found, STDOUT, SaveOptions(format="docker-archive", multiple=True))

    send(call, work, _TAR)


def _name_of(record: ImageRecord, name: str) -> str:
    return name or record.id
