"""`kube generate` of pods."""

from __future__ import annotations

import re

import yaml

from tests.support.engine import Podpy

TWO = """\
apiVersion: v1
kind: Pod
metadata:
  creationTimestamp: "NOW"
  labels:
    app: kp
  name: kp
spec:
  containers:
  - command:
    - top
    image: localhost/busybox:latest
    name: c1
    ports:
    - containerPort: 80
      hostPort: 8444
  - command:
    - top
    image: localhost/busybox:latest
    name: c2

"""


def test_a_pods_ports_stand_at_its_first_container(podpy: Podpy, busybox: str) -> None:
    podpy.ok("pod", "create", "--name=kp", "-p=8444:80")
    one = podpy.ok("create", "--pod=kp", "--name=kp-c1", busybox, "top")
    podpy.ok("create", "--pod=kp", "--name=c2", busybox, "top")
    shown = podpy("kube", "generate", "kp")
    text = re.sub(r'"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"', '"NOW"', shown.stdout)
    assert text.endswith("\n" + TWO) and "NOTE" not in text
    pod = podpy.ok("pod", "inspect", "--format={{.Id}}", "kp")
    podpy("kube", "generate", "c2", "kp").fails(125, f" is associated with pod {pod}: use generate on the pod itself")
    podpy("kube", "generate", one).fails(125, f"Error: container {one} is associated with pod {pod}")


def test_what_the_pod_shares_is_the_pods(podpy: Podpy, busybox: str) -> None:
    podpy.ok(
        *"pod create --name=my_pod --label=app=shop --hostname=hk --share=+pid --dns=10.0.0.1".split(),
        *"--add-host=x:10.0.0.2 --infra-name=boss --restart=on-failure".split(),
    )
    podpy.ok("create", "--pod=my_pod", "--name=init", "--init-ctr=always", "--annotation=a.b/c=1", busybox, "true")
    podpy.ok("create", "--pod=my_pod", "--name=db", "-v=data:/data", "--annotation=a.b/c=1", busybox, "top")
    podpy.ok("create", "--pod=my_pod", "--name=web", "-v=data:/x:ro", "--annotation=a.b/c=1", "--requires=db", busybox)
    service, whole = yaml.safe_load_all(podpy.ok("kube", "generate", "-s", "--podman-only", "my_pod"))
    assert service["metadata"]["name"] == whole["metadata"]["name"] == "mypod"
    assert service["spec"]["selector"] == whole["metadata"]["labels"] == {"app": "shop"}
    spec = whole["spec"]
    assert (spec["hostname"], spec["shareProcessNamespace"], spec["restartPolicy"]) == ("hk", True, "OnFailure")
    assert spec["hostAliases"] == [{"ip": "10.0.0.2", "hostnames": ["x"]}]
    assert spec["dnsConfig"] == {"nameservers": ["10.0.0.1"]}
    assert [(one["name"], one.get("restartPolicy")) for one in spec["initContainers"]] == [
        ("init", None),
        ("db", "Always"),
    ]
    assert [one["name"] for one in spec["containers"]] == ["web"] and len(spec["volumes"]) == 1
    assert whole["metadata"]["annotations"] == {"a.b/c": "1", "io.podman.annotations.infra.name": "boss"}


def test_a_pod_without_containers_is_nothing_for_a_cluster(podpy: Podpy, busybox: str) -> None:
    first = podpy.ok("pod", "create", "--name=first")
    podpy("kube", "generate", "first").fails(125, f"Error: pod {first} only has an infra container")
    second = podpy.ok("pod", "create", "--name=second", "--infra=false")
    podpy("kube", "generate", "second").fails(125, f"Error: pod {second} has no containers")
    podpy.ok("create", "--pod=second", "-p=80:80", "--name=c", busybox, "top")
    shown = podpy.ok("kube", "generate", "second")
    assert "# NOTE: The namespace sharing for a pod has been modified by the user" in shown
    assert yaml.safe_load(shown)["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "hostPort": 80}]


def test_an_empty_directory_that_a_container_only_reads_stays_one(podpy: Podpy, busybox: str) -> None:
    mounts = "volumeMounts: [{name: logs, mountPath: /in, readOnly: true}]"
    text = (
        "kind: Pod\nmetadata: {name: shop}\nspec:\n  volumes: [{name: logs, emptyDir: {}}]\n"
        f"  containers: [{{name: a, image: {busybox}, {mounts}}}]\n"
    )
    podpy.ok("kube", "play", "--network=none", "--start=false", "-", input=text)
    shown = podpy("kube", "generate", "shop")
    podpy.ok("pod", "rm", "shop")
    assert "ConfigMap" not in shown.stderr
    (volume,) = yaml.safe_load(shown.stdout)["spec"]["volumes"]
    assert volume["emptyDir"] == {}
