"""The parameters of a build's query → BuildOptions."""

from __future__ import annotations

from podpy import fastjson
from podpy.api.compat import host_config, networking
from podpy.api.compat.images.names import full
from podpy.api.errors import HttpError
from podpy.api.schema import Either, check
from podpy.build.options import BuildOptions
from podpy.build.sources import STDIN
from podpy.go.values import nanoseconds
from podpy.image.registry.access import PullOptions
from podpy.spec.container import ContainerSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call

_TEXTS = {"*": str}
_LIMITS = {
    "Memory": "memory", "MemorySwap": "memswap", "CpuShares": "cpushares", "CpusetCpus": "cpusetcpus",
    "CpusetMems": "cpusetmems", "CpuPeriod": "cpuperiod", "CpuQuota": "cpuquota", "ShmSize": "shmsize",
    "Ulimits": "ulimits", "CgroupParent": "cgroupparent", "ExtraHosts": "extrahosts",
}  # fmt: skip
"""Fields of a HostConfig, by which a container's limits are asked for, and the parameters that say the same."""
_DOCKER = "docker"
_POLICIES = {
    "": "missing", "missing": "missing", "ifmissing": "missing", "false": "missing", "0": "missing", "true": "always",
    "1": "always", "always": "always", "never": "never", "newer": "newer", "ifnewer": "newer",
}  # fmt: skip


def options(call: Call, authfile: str) -> BuildOptions:
    """Return what a query of Docker's path asks for. Raises HttpError, UsageError, NotSupportedError."""
    query = call.query
    pull = PullOptions(policy="always" if query["pull"] else "missing", platform=_platform(call), authfile=authfile)
    said = {**_both(call), "names": [full(name) for name in query["t"]]}
    return BuildOptions(**said, files=[query["dockerfile"] or "Dockerfile"], format=_DOCKER, pull=pull)


def libpod_options(call: Call, authfile: str) -> BuildOptions:
    """Return what a query of libpod's path asks for. Raises as `options`."""
    query = call.query
    policy = (query["pullpolicy"] or query["pull"]).lower()
    if policy not in _POLICIES:
        raise HttpError(400, f'unrecognized pull policy "{policy}"')
    pull = PullOptions(
        policy=_POLICIES[policy],
        platform=_platform(call),
        authfile=authfile,
        tls_verify=None if query["tlsVerify"] else False,
    )
    said = {
        **_both(call),
        "files": _names(query["dockerfile"]),
        "format": _DOCKER if _DOCKER in query["outputformat"] else "oci",
        "pull": pull,
        "annotations": _pairs("annotations", query["annotations"]),
        "contexts": _contexts(query["additionalbuildcontexts"]),
        "skip_unused": query["skipunusedstages"],
        "jobs": query["jobs"] or 1,
        "unset": query["unsetenv"],
        "base": query["from"],
        **_cache(query),
    }
    if not query["layers"]:
        said.update(cache=False, squash="new")
    if query["timestamp"] is not None:
        said.update(created=query["timestamp"], rewrite="all")
    return BuildOptions(**said)


def _both(call: Call) -> dict[str, Any]:
    query = call.query
    return {
        "context": STDIN,
        "names": query["t"],
        "arguments": _arguments(query["buildargs"]),
        "labels": _pairs("labels", query["labels"]),
        "target": query["target"],
        "cache": not query["nocache"],
        "squash": "new" if query["squash"] else "",
        "container": _container(call),
    }


def _arguments(given: Any) -> dict[str, str]:
    """Return values of ARGs; one without a value is nobody's: the client's environment isn't here."""
    check(given, {"*": Either(str, object)}, "buildargs")
    return {name: value for name, value in (given or {}).items() if isinstance(value, str)}


def _pairs(name: str, given: Any) -> dict[str, str]:
    """Return pairs of an object, or of a list of KEY=VALUE."""
    if isinstance(given, list):
        check(given, [str], name)
        return dict(text.partition("=")[::2] for text in given)
    check(given, _TEXTS, name)
    return dict(given or {})


def _names(text: str) -> list[str]:
    """Return the names of Dockerfiles: a JSON list's, or the text itself."""
    if not text.startswith("["):
        return [text] if text else []
    try:
        names = fastjson.loads_strict(text)
    except ValueError as error:
        raise HttpError(400, f"invalid dockerfile: {error}") from None
    check(names, [str], "dockerfile")
    return list(names)


def _contexts(given: Any) -> dict[str, str]:
    """Return named contexts: images and addresses; directories are the client's, and not here. Raises HttpError."""
    check(given, {"*": Either({"Value": str, "IsImage": bool, "IsURL": bool}, str)}, "additionalbuildcontexts")
    found = {}
    for name, each in (given or {}).items():
        said = each if isinstance(each, dict) else {"Value": each}
        value = said.get("Value") or ""
        found[name] = f"docker-image://{value}" if said.get("IsImage") and "://" not in value else value
        if "://" not in found[name]:
            raise HttpError(501, f"additionalbuildcontexts: {name}: only images and addresses can be named contexts")
    return found


def _cache(query: dict[str, Any]) -> dict[str, Any]:
    for name in ("cachefrom", "cacheto"):
        check(query[name], [str], name)
    try:
        longest = nanoseconds(query["cachettl"]) if query["cachettl"] else 0
    except ValueError as error:
        raise HttpError(400, f"invalid cachettl: {error}") from None
    return {"cache_from": query["cachefrom"] or [], "cache_to": query["cacheto"] or [], "cache_ttl": longest}


def _platform(call: Call) -> str:
    given = [each for each in call.query["platform"] if each]
    if len(given) > 1 or any("," in each for each in given):
        raise HttpError(501, "several platforms aren't supported: build one after the other")
    return given[0] if given else ""


def _container(call: Call) -> ContainerSpec:
    """Return what the containers of commands are like."""
    config = {field: call.query[name] for field, name in _LIMITS.items() if call.query[name]}
    mode = call.query["networkmode"]
    if not config and mode in ("", "default", networking.BRIDGE):
        return ContainerSpec()
    check(config, {"Ulimits": [{"Name": str, "Soft": int, "Hard": int}]})
    of_host = host_config.fields(config, rootless=call.runtime.paths.rootless)
    return ContainerSpec(**of_host, **networking.fields(call.runtime, {}, {"NetworkMode": mode}))
