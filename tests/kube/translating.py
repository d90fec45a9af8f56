"""A pod's YAML → what is translated of it, for tests."""

from __future__ import annotations

from typing import Any

import pytest

from podpy.errors import PodpyError
from podpy.kube.options import PlayOptions
from podpy.kube.reading.objects import Source, read
from podpy.kube.translate import containers, pods
from podpy.kube.translate.containers import Member
from podpy.kube.translate.context import Context, Node
from podpy.kube.translate.references import References
from podpy.spec.container import ContainerSpec
from podpy.spec.pod import PodSpec

DATA = """\
kind: ConfigMap
metadata: {name: cm}
data: {A: "1", B: two}
binaryData: {bin: AP8=}
---
kind: Secret
metadata: {name: sec}
data: {pw: Z2VoZWlt}
stringData: {A: from secret}
---
"""


def context_of(text: str, **options: Any) -> tuple[Any, Context]:
    """Return the `spec` of the pod in a text, and the context to translate it in."""
    objects, _ = read([Source(file="f.yaml", data=text.encode())])
    pod = next(each for each in objects if each.kind == "Pod")
    stored = {"stored": b'{"key": "x"}', "text": b"no YAML of a Secret: ["}.get
    return pod.value["spec"], Context(
        references=References(objects, stored),
        options=PlayOptions(**options),
        node=Node(name="here", memory=8 << 30, cpus=4),
        pod_name=pod.name,
        labels=pod.metadata.get("labels", {}),
        annotations=pod.metadata.get("annotations", {}),
    )


def pod_text(spec: str = "", container: str = "", metadata: str = "") -> str:
    """Return a pod's YAML with more fields, each text a line of flow YAML, such as "hostNetwork: true"."""
    lines = ["kind: Pod", "metadata:", "  name: web", *([f"  {metadata}"] if metadata else []), "spec:"]
    lines += [f"  {line}" for line in spec.splitlines()]
    lines += [
        "  containers:",
        "  - name: main",
        "    image: nginx",
        *(f"    {line}" for line in container.splitlines()),
    ]
    return DATA + "\n".join(lines)


def pod(spec: str = "", container: str = "", metadata: str = "", **options: Any) -> PodSpec:
    """Return the PodSpec that a pod's YAML asks for."""
    return pods.pod_spec(*context_of(pod_text(spec, container, metadata), **options))


def members(spec: str = "", container: str = "", metadata: str = "", **options: Any) -> list[Member]:
    """Return the containers that a pod's YAML asks for."""
    return containers.members(*context_of(pod_text(spec, container, metadata), **options))


def one(container: str = "", spec: str = "", metadata: str = "", **options: Any) -> ContainerSpec:
    """Return the spec of the pod's container `main`."""
    return members(spec, container, metadata, **options)[-1].spec


def wrong(container: str = "", spec: str = "", metadata: str = "", **options: Any) -> str:
    """Return the error about a pod's YAML."""
    with pytest.raises(PodpyError) as caught:
        text = context_of(pod_text(spec, container, metadata), **options)
        pods.pod_spec(*text)
        containers.members(*text)
    return caught.value.message
