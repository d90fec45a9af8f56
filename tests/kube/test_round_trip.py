"""What `kube generate` writes of a container's specification, `kube play` reads as the same specification."""

from __future__ import annotations

from typing import Any

import pytest

from podpy.config.containers_conf import ContainersConf
from podpy.image.documents.config import ImageConfig
from podpy.kube.generate.pod import pod
from podpy.kube.generate.source import Group, Options, Source
from podpy.kube.generate.text import dump
from podpy.kube.options import PlayOptions
from podpy.kube.reading import objects
from podpy.kube.translate import containers, pods
from podpy.kube.translate.context import Context
from podpy.kube.translate.references import References
from podpy.spec.container import ContainerSpec, Device, Mount, PortMapping, Resources, Ulimit
from podpy.spec.defaults import with_defaults
from podpy.spec.health import SECOND, Health, ReadinessCheck, StartupCheck
from podpy.spec.merge import merge
from podpy.spec.pod import PodSpec
from podpy.spec.probe import Probe, sleep
from podpy.storage.volumes.volume import Volume

ID = "0123456789ab" * 5 + "0123"
IMAGE = ImageConfig(entrypoint=["entry"], cmd=["run"], env=["OF_IMAGE=1"], workdir="/app")
CONTAINER: list[dict[str, Any]] = [
    {"env": {"A": "1e3", "B": "", "C": "$(A) $$ $(NOSUCH)", "D": "a\nb\n", "E": " x "}},
    {"workdir": "/srv"},
    {"user": "1000:5"},
    {"tty": True, "stdin_open": True},
    {"read_only": True, "no_new_privileges": True},
    {"privileged": True},
    {"unmask": ["ALL"], "seccomp": "unconfined", "security_labels": ["level:s0", "type:x_t"]},
    {"cap_add": ["ALL"]},
    {"cap_drop": ["ALL"], "cap_add": ["CHOWN"]},
    {"cap_add": ["NET_ADMIN"], "cap_drop": ["CHOWN"]},
    {"restart_policy": "always", "stop_timeout": 30},
    {"restart_policy": "on-failure"},
    {"restart_policy": "no", "ulimits": [Ulimit(name="nofile", soft=10, hard=20)]},
    {"resources": Resources(memory=64 << 20, memory_reservation=32 << 20, cpu_quota=50000, cpu_period=100000)},
    {"mounts": [Mount(type="bind", source="/tmp", target="/t", options=["ro"])]},
    {"mounts": [Mount(type="volume", source="data", target="/d", subpath="sub")]},
    {"mounts": [Mount(type="image", source="localhost/files", target="/f")]},
    {"devices": [Device(host="/dev/null", container="/dev/nothing")]},
    {"annotations": {"a.b/c": "yes", "note": "1"}},
    {"post_start": ["CMD", "warm", "$(A) $$"], "pre_stop": sleep(5)},
]
CHECKS = [
    Health(test=["CMD", "a", "$(cat b) $$(A) $$"], interval=10 * SECOND, timeout=SECOND, retries=3),
    Health(test=Probe(kind="http", port=80, scheme="https", path="/up", headers=[("Host", "x")]).words()),
    Health(test=Probe(kind="tcp", port=5432, host="10.0.0.1").words(), initial_delay=5 * SECOND),
    Health(
        test=Probe(kind="grpc", port=9000, service="s").words(),
        startup=StartupCheck(test=["CMD", "s"], interval=SECOND, timeout=SECOND, retries=30, successes=1),
        readiness=ReadinessCheck(test=["CMD", "r"], interval=SECOND, timeout=SECOND, successes=2),
    ),
]
POD: list[dict[str, Any]] = [
    {
        "ports": [
            PortMapping(container_port=80, host_port=8080),
            PortMapping(container_port=53, host_port=53, protocol="udp"),
        ]
    },
    {"ports": [PortMapping(container_port=80, host_port=8080, host_ip="127.0.0.1")]},
    {"network": "host"},
    {"dns": ["10.0.0.1"], "dns_search": ["a.b"], "dns_options": ["ndots:2", "rotate"]},
    {"add_hosts": ["x:10.0.0.2", "y:10.0.0.2", "z:::1"]},
    {"sysctls": {"net.ipv4.ip_unprivileged_port_start": "80"}},
    {"hostname": "hk"},
]


def completed(fields: dict[str, Any]) -> ContainerSpec:
    """Return a specification as `create` completes it."""
    asked = ContainerSpec(**{"image": "localhost/app", "name": "web", **fields})
    return merge(with_defaults(asked, ContainersConf(), {}, rootless=True), IMAGE, {})


def played(spec: ContainerSpec, podman_only: bool = False) -> tuple[PodSpec, ContainerSpec]:
    """Return the pod and the container that `kube play` asks for, of the YAML that is generated for a specification."""
    volumes = {mount.source: Volume(name=mount.source, mountpoint="/") for mount in spec.mounts}
    user, _, group = spec.user.partition(":")
    source = Source(
        id=ID, name=spec.name, spec=spec, image_name=spec.image, image=IMAGE, ports=spec.ports, volumes=volumes,
        ids=(int(user), int(group)) if user else None,
        usual=with_defaults(ContainerSpec(network=spec.network), ContainersConf(), {}, rootless=True),
    )  # fmt: skip
    text = dump(pod(Group(name=spec.name, members=[source]), Options(podman_only=podman_only), "2026-01-01T00:00:00Z"))
    found, notes = objects.read([objects.Source(file="f.yaml", data=text.encode())], validate="strict")
    assert notes == [], text
    metadata = found[0].metadata
    context = Context(
        references=References(found, lambda _name: None),
        options=PlayOptions(no_pod_prefix=True),
        pod_name=found[0].name,
        annotations=metadata.get("annotations", {}),
    )
    member = containers.members(found[0].value["spec"], context)[0]
    return pods.pod_spec(found[0].value["spec"], context), member.spec


@pytest.mark.parametrize("fields", CONTAINER, ids=lambda fields: " ".join(fields))
def test_a_containers_fields_come_back(fields: dict[str, Any]) -> None:
    spec = completed(fields)
    _, found = played(spec)
    for name, value in fields.items():
        got = getattr(found, name)
        if name == "annotations":
            got = {key: text for key, text in got.items() if not key.startswith("io.podman.")}
        assert got == value, name
    again = merge(with_defaults(found, ContainersConf(), {}, rootless=True), IMAGE, {})
    assert (again.command, again.entrypoint, again.env) == (spec.command, spec.entrypoint, spec.env)


@pytest.mark.parametrize("health", CHECKS, ids=lambda health: health.test[0])
def test_checks_come_back(health: Health) -> None:
    spec = completed({"health": health, "restart_policy": "no"})
    _, found = played(spec)
    again = merge(with_defaults(found, ContainersConf(), {}, rootless=True), IMAGE, {}).health
    assert again and spec.health  # in Kubernetes an unhealthy container ends, if it isn't restarted
    startup = spec.health.startup and spec.health.startup.replace(on_failure="stop")
    assert again == spec.health.replace(on_failure="stop", startup=startup)


@pytest.mark.parametrize(
    "fields",
    [
        {"entrypoint": ["sh", "-c"], "command": ["echo $(A) $$(B) $$ $"]},
        {"entrypoint": [], "command": ["ls", "-l"]},
        {"command": ["other", "words"]},
        {"entrypoint": ["sh"]},
    ],
    ids=lambda fields: " ".join(map(str, fields.values())),
)
def test_a_command_comes_back(fields: dict[str, Any]) -> None:
    spec = completed(fields)
    _, found = played(spec)
    assert merge(found, IMAGE, {}).command == spec.command


@pytest.mark.parametrize("fields", POD, ids=lambda fields: " ".join(fields))
def test_what_a_pod_shares_comes_back(fields: dict[str, Any]) -> None:
    found, _ = played(completed(fields))
    for name, value in fields.items():
        assert (found.hostname if name == "hostname" else getattr(found.container, name)) == value, name


def test_what_only_podpy_understands_comes_back_from_annotations() -> None:
    limits = Resources(pids_limit=50, cpuset_cpus="0", cpuset_mems="0")
    _, found = played(completed({"init": True, "remove": True, "resources": limits}), podman_only=True)
    assert (found.init, found.remove, found.resources) == (True, True, limits)
