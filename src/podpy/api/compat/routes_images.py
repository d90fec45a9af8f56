"""The routes of Docker's paths about images, registries and the disk."""

from __future__ import annotations

from podpy.api.routes import JSON_BODY, STREAM, filters, flag, number, route, text, texts

_HERE = "podpy.api.compat.images"
_ONE = "/images/{name...}"
_AUTH = {
    "username": str, "password": str, "serveraddress": str, "identitytoken": str, "registrytoken": str, "auth": str,
    "email": str,
}  # fmt: skip
_PLATFORM = text("platform", "OS/ARCH[/VARIANT]")

IMAGES = (
    route(
        "GET", "/images/json", f"{_HERE}.listing:images", "List images",
        flag("all"), flag("shared-size"), flag("digests"), text("filter"),
        filters("before", "since", "dangling", "label", "reference", "until"),
    ),
    route(
        "POST", "/images/create", f"{_HERE}.transfers:create", "Pull an image, or make one of a tar",
        text("fromImage"), text("fromSrc"), text("repo"), text("tag"), text("message"), texts("changes"), _PLATFORM,
        body=STREAM,
    ),
    route(
        "POST", "/images/load", f"{_HERE}.transfers:load", "Load the images of an archive", flag("quiet"), body=STREAM,
    ),
    route("POST", "/images/prune", f"{_HERE}.changes:prune", "Remove unused images",
          filters("dangling", "label", "label!", "until")),
    route(
        "GET", "/images/search", f"{_HERE}.registries:search", "Search a registry",
        text("term"), number("limit"), filters("is-official", "is-automated", "stars"),
    ),
    route("GET", "/images/get", f"{_HERE}.transfers:get_several", "An archive of several images", texts("names")),
    route("GET", _ONE + "/json", f"{_HERE}.listing:inspect", "Everything about an image", kind="image"),
    route("GET", _ONE + "/history", f"{_HERE}.listing:history", "How an image was made", kind="image"),
    route("GET", _ONE + "/get", f"{_HERE}.transfers:get", "An archive of an image", kind="image"),
    route(
        "POST", _ONE + "/push", f"{_HERE}.transfers:push", "Push an image", text("tag"), _PLATFORM, kind="image",
    ),
    route(
        "POST", _ONE + "/tag", f"{_HERE}.changes:tag", "Give an image one more name",
        text("repo"), text("tag"), kind="image",
    ),
    route(
        "DELETE", _ONE, f"{_HERE}.changes:remove", "Remove a name, and the image with its last one",
        flag("force"), flag("noprune"), kind="image",
    ),
    route(
        "GET", "/distribution/{name...}/json", f"{_HERE}.registries:distribution", "What a registry has under a name",
    ),
    route("POST", "/auth", f"{_HERE}.registries:auth", "Try credentials", body=JSON_BODY, schema=_AUTH),
    route(
        "GET", "/system/df", "podpy.api.compat.disk_usage:disk_usage", "What the store takes on the disk",
        texts("type"), flag("verbose"),
    ),
)  # fmt: skip
