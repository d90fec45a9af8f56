"""`kube play`, `kube down` and `kube generate` on Podman's paths."""

from __future__ import annotations

from podpy.api.call import Answer
from podpy.api.errors import HttpError
from podpy.api.libpod import answers, credentials
from podpy.kube.reading.objects import Source, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.api.call import Call
    from podpy.kube.play.down import Down
    from podpy.kube.reading.objects import Object

_MOST = 8 << 20  # bytes of YAML


def play(call: Call) -> Answer:
    """Make the pods of a Kubernetes file, which is the body."""
    from podpy.kube.options import PlayOptions
    from podpy.kube.play.play import play as make
    from podpy.libpod.containers.starting.create import PullOptions
    from podpy.spec.text.attachments import parse_mac, parse_networks
    from podpy.spec.text.life import log_driver, log_options
    from podpy.spec.text.namespaces import check_userns
    from podpy.spec.text.ports import parse_publish

    query = call.query
    network, networks = parse_networks(query["network"]) if query["network"] else ("", [])
    if query["build"]:
        raise HttpError(501, "build isn't supported here: build the images first")
    options = PlayOptions(
        start=query["start"],
        replaces=query["replace"],
        no_pod_prefix=query["noPodPrefix"],
        network=network,
        networks=networks,
        ips=query["staticIPs"],
        macs=[parse_mac(text) for text in query["staticMACs"]],
        publish=[port for text in query["publishPorts"] for port in parse_publish(text)],
        publish_all=query["publishAllPorts"],
        no_hosts=query["noHosts"] or None,
        log_driver=log_driver(query["logDriver"]) if query["logDriver"] else "",
        log_options=log_options(query["logOptions"]),
        userns=check_userns(query["userns"]) if query["userns"] else "",
        pull=PullOptions(policy="", **credentials.fields(call, "")),
        build=False,
    )
    report = make(call.runtime, _objects(call), options)
    pods = [
        {
            "ID": pod.id,
            "Containers": pod.containers,
            "InitContainers": None,
            "Logs": None,
            "ContainerErrors": [str(error) for error in pod.errors] or None,
        }
        for pod in report.pods
    ]
    made = {
        "Pods": pods,
        "Volumes": [{"Name": name} for name in report.volumes] or None,
        "Secrets": [{"CreateReport": {"ID": name}} for name in report.secrets] or None,
        "ServiceContainerID": "",
        "ExitCode": None,
    }
    return Answer({**made, **_removed(report.replaced)})


def down(call: Call) -> Answer:
    """Remove the pods of a Kubernetes file, which is the body."""
    from podpy.kube.play.down import down as remove

    found = remove(call.runtime, _objects(call), force=call.query["force"])
    return Answer({**_removed(found), "Pods": None, "Volumes": None, "Secrets": None})


def _removed(found: Down | None) -> dict[str, Any]:
    """Return Podman's PlayKubeTeardown."""
    if found is None:
        return {"StopReport": None, "RmReport": None, "VolumeRmReport": None, "SecretRmReport": None}
    failed = [{"Err": text, "Id": ""} for text in answers.reasons(found.errors)]
    return {
        "StopReport": [{"Errs": None, "Id": name, "RawInput": name} for name in found.stopped],
        "RmReport": [*({"Err": None, "Id": name} for name in found.pods), *failed],
        "VolumeRmReport": [{"Err": None, "Id": name} for name in found.volumes],
        "SecretRmReport": [{"Err": None, "ID": name} for name in found.secrets],
    }


def _objects(call: Call) -> Sequence[Object]:
    data = call.connection.read_body(_MOST)
    if not data.strip():
        raise HttpError(400, "the body must be Kubernetes YAML")
    objects, notes = read([Source(file="the body", data=data)], "warn")
    call.warnings += [note.text for note in notes]
    return objects


def generate(call: Call) -> Answer:
    """Return containers, pods and volumes as Kubernetes YAML."""
    from podpy.kube.generate.generate import generate as make
    from podpy.kube.generate.source import Options

    query = call.query
    names = query["names"]
    if not names:
        raise HttpError(400, "names is required: what is to be written")
    wanted = Options(
        kind=query["type"].lower(),
        replicas=1 if query["replicas"] is None else query["replicas"],
        for_service=query["service"],
        podman_only=query["podmanOnly"],
    )
    text = make(call.runtime, names, wanted).text()
    return Answer(body=(text + "\n").encode("utf-8", "surrogateescape"), type="text/vnd.yaml")
