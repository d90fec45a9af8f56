"""Manifest lists on Podman's paths."""

from __future__ import annotations

from podpy.api.call import Answer
from podpy.api.errors import HttpError
from podpy.api.libpod import answers, credentials
from podpy.api.libpod.bodies import MANIFEST
from podpy.api.libpod.images import removal_report
from podpy.api.schema import check
from podpy.errors import NoSuchImageError, PodpyError
from podpy.image.options import EntryChanges, ListAddOptions
from podpy.image.registry.access import Access

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.api.call import Call


def create(call: Call) -> Answer:
    """Create a list of images; with `amend`, or change the one with this name."""
    query = call.query
    body = _said(call)
    images = query["images"] or body.get("images") or []
    options = _adding(call, body, images[0] if images else "").replace(all=query["all"] or bool(body.get("all")))
    made = call.runtime.manifests.create(
        call.path["name"], images, options, amend=query["amend"], annotations=body.get("index_annotations") or None
    )
    return Answer({"Id": made}, 201)


def exists(call: Call) -> Answer:
    """Say whether there is such a list."""
    return answers.exists(call.runtime.manifests.exists(call.path["name"]), "manifest list")


def inspect(call: Call) -> Answer:
    """Return the document of a list: the store's, or a registry's."""
    name = call.path["name"]
    return Answer(call.runtime.manifests.inspect(name, Access(**credentials.fields(call, name))))


def modify(call: Call) -> Answer:
    """Add images, remove entries, or change what the list says of them: the body's operation tells which."""
    body, name, manifests = _said(call), call.path["name"], call.runtime.manifests
    images: list[str] = body.get("images") or []
    operation = (body.get("operation") or "").lower()
    work: dict[str, Callable[[str], str]] = {
        "update": lambda image: manifests.add(name, [image], _adding(call, body, image)),
        "remove": lambda image: manifests.remove_entry(name, image),
        "annotate": lambda image: manifests.annotate(name, image, _changes(body)),
    }
    if operation not in work:
        raise HttpError(400, f"invalid operation {body.get('operation')!r}: it must be one of {', '.join(work)}")
    made, done, failed = manifests.get(name).id, [], []
    if operation == "annotate" and body.get("index_annotations"):
        made = manifests.annotate_index(name, body["index_annotations"], subject=body.get("subject") or "")
    for image in images:
        try:
            made = work[operation](image)
        except PodpyError as error:
            failed.append(error)
        else:
            done.append(image)
    if failed and not done:
        raise failed[0]
    told: dict[str, Any] = {"Id": made, "images": done}
    return Answer({**told, "errors": answers.reasons(failed)} if failed else told, 409 if failed else 200)


def _said(call: Call) -> dict[str, Any]:
    """Return the body with its names in lower case: Podman's clients write them as Go does. Raises HttpError."""
    said = {name.lower(): value for name, value in call.json().items()}
    check(said, MANIFEST)
    return said


def _adding(call: Call, body: dict[str, Any], image: str) -> ListAddOptions:
    reference = image.removeprefix("docker://")
    return ListAddOptions(all=bool(body.get("all")), changes=_changes(body), **credentials.fields(call, reference))


def _changes(body: dict[str, Any]) -> EntryChanges:
    pairs = dict(text.partition("=")[::2] for text in body.get("annotation") or ())
    return EntryChanges(
        os=body.get("os") or "",
        architecture=body.get("arch") or "",
        variant=body.get("variant") or "",
        os_version=body.get("os_version") or body.get("osversion") or "",
        os_features=body.get("os_features") or body.get("osfeatures") or [],
        features=body.get("features") or [],
        annotations={**pairs, **(body.get("annotations") or {})},
    )


def remove(call: Call) -> Answer:
    """Remove a list; its images stay."""
    try:
        lines = call.runtime.manifests.remove(call.path["name"])
    except NoSuchImageError:
        if not call.query["ignore"]:
            raise
        lines = []
    return Answer(removal_report(lines, []))
