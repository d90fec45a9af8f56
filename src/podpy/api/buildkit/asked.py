"""The attributes of the frontend dockerfile.v0 → BuildOptions (moby/buildkit, frontend/dockerui/config.go)."""

from __future__ import annotations

from podpy.api.buildkit.grpc import INVALID, UNIMPLEMENTED, GrpcError
from podpy.api.compat import host_config
from podpy.build.options import BuildOptions
from podpy.image.registry.access import PullOptions
from podpy.numbers import whole
from podpy.spec.container import ContainerSpec
from podpy.spec.text.limits import parse_ulimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FRONTEND = "dockerfile.v0"
_EPOCH = "SOURCE_DATE_EPOCH"
_OF_CLIENTS = "BUILDKIT_"  # arguments that steer BuildKit itself
_LATEST = 1 << 40  # seconds since 1970
_MOST_SHM = 1 << 50


def check_frontend(name: str, definition: bytes) -> None:
    """Raise GrpcError for what isn't a Dockerfile."""
    if definition:
        raise GrpcError(UNIMPLEMENTED, "only Dockerfiles can be built: other definitions (LLB) aren't supported")
    if name not in ("", FRONTEND):
        raise GrpcError(UNIMPLEMENTED, f"frontend {name} isn't supported: only Dockerfiles can be built")


def file_name(attrs: Mapping[str, str]) -> str:
    """Return the Dockerfile's name."""
    return attrs.get("filename") or "Dockerfile"


def beginning_with(attrs: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return the attributes whose names begin so, without the beginning."""
    return {name.removeprefix(prefix): value for name, value in attrs.items() if name.startswith(prefix)}


def options(attrs: Mapping[str, str], *, rootless: bool) -> BuildOptions:
    """Return what is asked for, without what comes from the session. Raises GrpcError, PodpyError."""
    if any("\0" in text for pair in attrs.items() for text in pair):
        raise GrpcError(INVALID, "an attribute has a NUL in it")
    _refuse_attestations(attrs)
    if attrs.get("requestid"):
        raise GrpcError(UNIMPLEMENTED, f"request {attrs['requestid']} isn't supported: only builds are")
    platform = attrs.get("platform", "")
    if "," in platform:
        raise GrpcError(UNIMPLEMENTED, "several platforms aren't supported: build one after the other")
    arguments = beginning_with(attrs, "build-arg:")
    policy = "always" if attrs.get("image-resolve-mode") == "pull" else "missing"
    return BuildOptions(
        files=[file_name(attrs)],
        arguments={name: value for name, value in arguments.items() if not name.startswith(_OF_CLIENTS)},
        labels=beginning_with(attrs, "label:"),
        target=attrs.get("target", ""),
        cache="no-cache" not in attrs,
        format="docker",
        pull=PullOptions(policy=policy, platform=platform),
        container=_container(attrs, rootless=rootless),
        **_times(arguments),
    )


def _refuse_attestations(attrs: Mapping[str, str]) -> None:
    """Raise GrpcError for an attestation that somebody asks for.

    What buildx adds of itself is for the cache that is in the image (`inline-only`), so it is left out. buildx knows by
    the bridge's capabilities that there are no others, and says so itself; other clients hear it here.
    """
    for name, value in beginning_with(attrs, "attest:").items():
        words = value.split(",")
        if "disabled=true" not in words and "inline-only=true" not in words:
            raise GrpcError(UNIMPLEMENTED, f"attestations aren't supported: {name}")


def _times(arguments: Mapping[str, str]) -> dict[str, Any]:
    text = arguments.get(_EPOCH, "")
    if not text:
        return {}
    seconds = whole(text, _LATEST)
    if seconds is None:
        raise GrpcError(INVALID, f"invalid {_EPOCH}: {text}")
    return {"created": seconds, "passes_created": True}


def _container(attrs: Mapping[str, str], *, rootless: bool) -> ContainerSpec:
    network = attrs.get("force-network-mode", "")
    hosts = [":".join(each.split("=", 1)) for each in attrs.get("add-hosts", "").split(",") if each]
    size = whole(attrs.get("shm-size") or "0", _MOST_SHM)
    if size is None:
        raise GrpcError(INVALID, f"invalid shm-size: {attrs['shm-size']}")
    config = {"ExtraHosts": hosts, "ShmSize": size, "CgroupParent": attrs.get("cgroup-parent", "")}
    limits = [each for each in attrs.get("ulimit", "").split(",") if each]
    if not (any(config.values()) or limits or network in ("none", "host")):
        return ContainerSpec()
    found = host_config.fields(config, rootless=rootless)
    found["ulimits"] = [parse_ulimit(each) for each in limits]
    if network in ("none", "host"):
        found["network"] = network
    return ContainerSpec(**found)
