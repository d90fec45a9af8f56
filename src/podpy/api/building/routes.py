"""The routes of builds."""

from __future__ import annotations

from podpy.api.routes import JSON_VALUE, STREAM, Parameter, filters, flag, number, route, text, texts

_HERE = "podpy.api.building.classic"


def _json(name: str, help: str) -> Parameter:
    return Parameter(name=name, kind=JSON_VALUE, help=help)


_BOTH = (
    texts("t", "A name of the image"), text("remote", "The context: a repository, or an address"), flag("q"),
    flag("nocache"), flag("rm"), flag("forcerm"), flag("squash"), _json("buildargs", "Values of ARGs, by name"),
    _json("labels", "Labels, by name"), text("target", "The stage to build"), text("networkmode"), number("memory"),
    number("memswap"), number("cpushares"), text("cpusetcpus"), text("cpusetmems"), number("cpuperiod"),
    number("cpuquota"), number("shmsize"), _json("ulimits", "[{Name, Soft, Hard}]"), text("cgroupparent"),
    texts("extrahosts", "NAME:ADDRESS"), texts("platform"),
)  # fmt: skip

BUILDING = (
    route("POST", "/grpc", "podpy.api.buildkit.endpoint:grpc", "BuildKit's services, on this connection"),
    route("POST", "/session", "podpy.api.buildkit.endpoint:session", "A build's client, on this connection"),
    route(
        "POST", "/build", f"{_HERE}:build", "Build an image of the archive in the body", *_BOTH,
        text("dockerfile", "Its name in the context", default="Dockerfile"), flag("pull"),
        _json("cachefrom", "Does nothing: the cache is the store's"), text("version", default="1"), text("session"),
        text("buildid"), _json("outputs", "[{Type, Attrs}]: of version 2"), body=STREAM,
    ),
    route("POST", "/build/cancel", f"{_HERE}:cancel", "End a build", text("id")),
    route(
        "POST", "/build/prune", f"{_HERE}:prune", "Remove the cache of builds",
        flag("all"), number("keep-storage"), filters("until", "id", "parent", "type", "description", "inuse", "shared",
                                                     "private", "unused-for"),
    ),
    route(
        "POST", "/libpod/build", f"{_HERE}:libpod_build", "Build an image of the archive in the body", *_BOTH,
        text("dockerfile", "Names in the context, as JSON or a text"), text("pull"), text("pullpolicy"),
        _json("cachefrom", "Repositories"), _json("cacheto", "Repositories"), text("cachettl"),
        _json("annotations", "KEY=VALUE"), _json("additionalbuildcontexts", "Contexts by name"),
        text("outputformat"), flag("layers", default=True), flag("skipunusedstages", default=True), number("jobs"),
        texts("unsetenv"), number("timestamp"), text("from"), flag("tlsVerify", default=True), body=STREAM,
    ),
)  # fmt: skip
