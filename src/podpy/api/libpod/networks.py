"""Networks on Podman's paths."""

from __future__ import annotations

from podpy.api.call import Answer
from podpy.api.errors import HttpError
from podpy.api.libpod import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call


def listed(call: Call) -> Answer:
    """List networks."""
    return Answer([each.as_json() for each in call.runtime.networks.list(call.query["filters"])])


def create(call: Call) -> Answer:
    """Create a network."""
    body = call.json()
    subnets: list[dict[str, Any]] = body.get("subnets") or []
    names = body.get("dns_enabled")
    made = call.runtime.networks.create(
        body.get("name") or "",
        driver=body.get("driver") or "bridge",
        subnets=[each.get("subnet") or "" for each in subnets],
        gateways=[each["gateway"] for each in subnets if each.get("gateway")],
        ip_ranges=[_range(each["lease_range"]) for each in subnets if each.get("lease_range")],
        routes=[_route(each) for each in body.get("routes") or ()],
        options=body.get("options") or {},
        labels=body.get("labels") or {},
        internal=bool(body.get("internal")),
        ipv6=bool(body.get("ipv6_enabled")),
        dns=names is None or bool(names),
        dns_servers=body.get("network_dns_servers") or [],
        interface=body.get("network_interface") or "",
        ipam_driver=(body.get("ipam_options") or {}).get("driver") or "",
        ignore=call.query["ignoreIfExists"],
    )
    return Answer(made.as_json())


def _route(given: dict[str, Any]) -> str:
    parts = [given.get("destination") or "", given.get("gateway") or ""]
    return ",".join(parts + ([str(given["metric"])] if given.get("metric") is not None else []))


def _range(given: dict[str, str]) -> str:
    start, end = given.get("start_ip") or "", given.get("end_ip") or ""
    if not start or not end:
        raise HttpError(400, "lease_range must have start_ip and end_ip")
    return f"{start}-{end}"


def inspect(call: Call) -> Answer:
    """Return everything about a network."""
    return Answer(call.runtime.networks.inspect(call.path["name"]))


def exists(call: Call) -> Answer:
    """Say whether there is such a network."""
    return answers.exists(call.runtime.networks.exists(call.path["name"]), "network")


def remove(call: Call) -> Answer:
    """Remove a network. What prevents it is an error: the report's Err is of a Go type that no client can read."""
    name = call.path["name"]
    call.runtime.networks.remove(name, force=call.query["force"], timeout=call.query["timeout"])
    return Answer([{"Name": name, "Err": None}])


def prune(call: Call) -> Answer:
    """Remove the networks that no container uses."""
    done = call.runtime.networks.prune(call.query["filters"])
    failed = [{"Name": "", "Error": text} for text in answers.reasons(done.errors)]
    return Answer([*({"Name": name, "Error": None} for name in done.removed), *failed])


def update(call: Call) -> Answer:
    """Change a network's name servers."""
    body = call.json()
    call.runtime.networks.update(
        call.path["name"],
        dns_add=body.get("adddnsservers") or body.get("addDNSServers") or [],
        dns_drop=body.get("removednsservers") or body.get("removeDNSServers") or [],
    )
    return Answer(status=204)


def connect(call: Call) -> Answer:
    """Put a container on a network."""
    body = call.json()
    if not body.get("container"):
        raise HttpError(400, "container is required")
    call.runtime.networks.connect(
        call.path["name"],
        body["container"],
        ips=body.get("static_ips") or [],
        mac=body.get("static_mac") or "",
        aliases=body.get("aliases") or [],
        interface=body.get("interface_name") or "",
    )
    return Answer(body=b'"OK"\n', type="application/json")


def disconnect(call: Call) -> Answer:
    """Take a container off a network."""
    body = call.json()
    if not body.get("Container"):
        raise HttpError(400, "Container is required")
    call.runtime.networks.disconnect(call.path["name"], body["Container"], force=bool(body.get("Force")))
    return Answer(body=b'"OK"\n', type="application/json")
