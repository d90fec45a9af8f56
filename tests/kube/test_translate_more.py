"""Quantities, origins of values, Jobs, and names of a cluster: what a pod's YAML asks for, and what is wrong in it."""

from __future__ import annotations

from typing import Any

import pytest

from podpy.errors import PodpyError
from podpy.kube.options import PlayOptions
from podpy.kube.play.workloads import workloads
from podpy.kube.reading.objects import Source, read
from podpy.kube.translate import containers, pods
from podpy.kube.translate.context import Context
from podpy.kube.translate.references import References
from podpy.notice import sending_to
from tests.kube.translating import context_of, one, pod, pod_text, wrong


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        ("limits: {cpu: 1e99}", "limits.cpu: 1e99 is too large"),
        ("limits: {cpu: 1e9}", "limits.cpu: 1e9 is too large"),
        ("limits: {memory: 10E}", "limits.memory: 10E is too large"),
        ("requests: {cpu: 1e99}", "requests.cpu: 1e99 is too large"),
        ("requests: {cpu: -1}", "requests.cpu: a quantity can't be negative here"),
        ("limits: {cpu: '" + "9" * 5000 + "'}", f'limits.cpu: "{"9" * 40}" is not a quantity, such as 500m or 64Mi'),
    ],
)
def test_a_quantity_that_no_machine_has_is_a_mistake(resources: str, told: str) -> None:
    assert wrong(f"resources: {{{resources}}}") == f"f.yaml:18: spec.containers[0].resources.{told}"


@pytest.mark.parametrize(("cpu", "shares"), [("1", 1024), ("500m", 512), ("1m", 2), ("0", 2), ("1000", 262144)])
def test_a_requested_cpu_is_a_share(cpu: str, shares: int) -> None:
    assert one(f"resources: {{requests: {{cpu: '{cpu}'}}}}").resources.cpu_shares == shares


@pytest.mark.parametrize(
    ("container", "field"),
    [
        ("envFrom: [{secretRef: {name: nul}}]", "envFrom[0]"),
        ("env: [{name: V, valueFrom: {secretKeyRef: {name: nul, key: k}}}]", "env[0].valueFrom.secretKeyRef.key"),
    ],
)
def test_no_variable_has_a_value_with_a_nul(container: str, field: str) -> None:
    secret = "kind: Secret\nmetadata: {name: nul}\ndata: {k: YQBi}\n---\n"
    with pytest.raises(PodpyError) as caught:
        containers.members(*context_of(secret + pod_text(container=container)))
    told = f'f.yaml:22: spec.containers[0].{field}: the data of key "k" has a NUL character'
    assert caught.value.message.startswith(told)


def test_variables_and_volumes_remember_where_they_come_from() -> None:
    found = one(
        "envFrom: [{configMapRef: {name: cm}}, {secretRef: {name: sec}}]\n"
        "env: [{name: B, value: own}, {name: V, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"
    )
    secret = {"envFrom": {"secretRef": {"name": "sec"}}, "place": 1}
    assert found.env_origins == {
        "A": secret,
        "pw": secret,
        "V": {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    }
    text, context = context_of(
        pod_text("volumes: [{name: c, configMap: {name: cm}}]", "volumeMounts: [{name: c, mountPath: /c}]")
    )
    (member,) = containers.members(text, context.replace(volumes={"c": "0" * 64}))
    assert member.spec.volume_origins == {"0" * 64: {"name": "c", "configMap": {"name": "cm"}}}
    assert pods.pod_spec(text, context).configmaps == {
        "cm": {"data": {"A": "1", "B": "two"}, "binaryData": {"bin": "AP8="}}
    }


JOB = (
    "kind: Job\nmetadata: {{name: pi}}\nspec:\n"
    "  template: {{spec: {{{policy}containers: [{{name: main, image: i}}]}}}}\n  {more}\n"
)


def job(policy: str = "", more: str = "backoffLimit: 2", **options: Any) -> tuple[list[str], str, int]:
    """Return the names of a Job's pods, and the policy and the retries of the first one's container."""
    objects, _ = read([Source(file="f.yaml", data=JOB.format(policy=policy, more=more).encode())])
    found = workloads(objects, PlayOptions(**options))
    context = Context(references=References([], lambda _: None), options=PlayOptions(), retries=found[0].retries)
    spec = containers.members(found[0].spec, context.replace(pod_name=found[0].name))[0].spec
    return [each.name for each in found], spec.restart_policy, spec.restart_retries


def test_a_jobs_containers_are_started_again_as_often_as_it_says() -> None:
    assert job() == (["pi-pod"], "no", 0)
    assert job("restartPolicy: OnFailure, ")[1:] == ("on-failure", 2)
    assert job("restartPolicy: OnFailure, ", "backoffLimit: 0")[1:] == ("no", 0)
    assert job("restartPolicy: OnFailure, ", "completions: 1")[1:] == ("on-failure", 6)


def test_completions_that_there_wont_be_are_told() -> None:
    told: list[str] = []
    with sending_to(told.append):
        assert job(more="completions: 5\n  parallelism: 2")[0] == ["pi-pod"]
        assert job(more="completions: 5\n  parallelism: 2", multiple_pods=True)[0] == ["pi-pod-0", "pi-pod-1"]
        assert job(more="completions: 2\n  parallelism: 3", multiple_pods=True)[0] == ["pi-pod-0", "pi-pod-1"]
    assert told == [
        "Job pi: 1 pod will run, each once, and no further ones (--multiple-pods: as many as run at the same time)",
        "Job pi: 2 pods will run, each once, and no further ones",
    ]
    with pytest.raises(PodpyError, match=r"f.yaml:5: spec.backoffLimit: -1 is no number of retries"):
        job(more="backoffLimit: -1")
    with pytest.raises(PodpyError, match=r"f.yaml:5: spec.parallelism: 101 parallelism: at most 100"):
        job(more="parallelism: 101", multiple_pods=True)


def test_a_subdomain_is_part_of_a_name_on_the_network() -> None:
    aliases = pod("hostname: h\nsubdomain: sub").container.networks[0].aliases
    assert aliases[-4:] == ["h.sub", "h.sub.default", "h.sub.default.svc", "h.sub.default.svc.cluster.local"]
    assert wrong(spec='subdomain: "a\\nb"').startswith("f.yaml:15: spec.subdomain: network alias")


@pytest.mark.parametrize(
    ("container", "spec", "told"),
    [
        (
            "ports: [{hostPort: 80, hostIP: here}]",
            "",
            '18: spec.containers[0].ports[0].hostIP: "here" isn\'t an IP address',
        ),
        (
            "ports: [{hostPort: 80, containerPort: 1}, {hostPort: 80, containerPort: 2}]",
            "",
            "18: spec.containers[0].ports[1].hostPort: 80/tcp is there twice",
        ),
        ("", 'hostname: "a\\nb"', "15: spec.hostname: it has a blank, a line end or another control character"),
        (
            "",
            "initContainers: [{name: a b, image: i}]",
            '15: spec.initContainers[0].name: "a b": names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument',
        ),
    ],
)
def test_what_no_start_could_use_is_a_mistake_with_its_place(container: str, spec: str, told: str) -> None:
    assert wrong(container, spec) == f"f.yaml:{told}"


@pytest.mark.parametrize(
    ("kind", "name", "shown"),
    [
        ("Pod", "a/b", "a/b"),
        ("Service", '"a\\nb"', "a\nb"),
        ("Secret", "a,b", "a,b"),
        ("Pod", "x" * 300, "x" * 40 + "…"),
    ],
)
def test_a_name_that_nothing_can_have_is_a_mistake_with_its_place(kind: str, name: str, shown: str) -> None:
    with pytest.raises(PodpyError) as caught:
        read([Source(file="f.yaml", data=f"kind: {kind}\nmetadata:\n  name: {name}\nspec: {{}}\n".encode())])
    assert caught.value.message.startswith(f'f.yaml:3: metadata.name: "{shown}": names must match')


def test_a_negative_number_of_replicas_is_a_mistake() -> None:
    text = "kind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: -1\n  template: {spec: {containers: []}}\n"
    objects, _ = read([Source(file="f.yaml", data=text.encode())])
    with pytest.raises(PodpyError, match=r"f.yaml:4: spec.replicas: -1 isn't a number of replicas"):
        workloads(objects, PlayOptions())
