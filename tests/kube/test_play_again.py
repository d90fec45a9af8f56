"""`kube play` of what `kube generate` writes of pods that `kube play` made: the same containers."""

from __future__ import annotations

import re
from typing import Any

from tests.support.engine import Podpy

SHOP = """\
kind: PersistentVolumeClaim
metadata: {name: data, labels: {tier: db}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
kind: Pod
metadata:
  name: shop
  labels: {app: shop, tier: front}
  annotations: {note: "yes"}
spec:
  hostname: hk
  shareProcessNamespace: true
  terminationGracePeriodSeconds: 3
  restartPolicy: OnFailure
  hostAliases: [{ip: 10.0.0.9, hostnames: [x, y]}]
  dnsConfig: {searches: [a.b]}
  securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "80"}]}
  volumes:
  - {name: data, persistentVolumeClaim: {claimName: data}}
  - {name: tmp, emptyDir: {}}
  - {name: mem, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
  - {name: host, hostPath: {path: /tmp, type: Directory}}
  initContainers:
  - {name: side, image: IMAGE, command: [sleep, "1000"], restartPolicy: Always}
  containers:
  - name: web
    image: IMAGE
    command: [sh, -c, "echo $$(A) $(A); exec sleep 1000"]
    env: [{name: A, value: "1e3"}, {name: B, value: "x $(A)"}]
    ports: [{containerPort: 80, hostPort: 18080}]
    securityContext:
      {runAsUser: 1000, runAsGroup: 5, capabilities: {add: [CHOWN], drop: [ALL]}, readOnlyRootFilesystem: true}
    volumeMounts:
    - {name: tmp, mountPath: /t}
    - {name: mem, mountPath: /m}
    - {name: host, mountPath: /h, readOnly: true}
    - {name: data, mountPath: /data}
    livenessProbe: {exec: {command: ["test", "$$(A)", "!=", ""]}, periodSeconds: 5}
    readinessProbe: {tcpSocket: {port: 80}}
    lifecycle: {preStop: {exec: {command: ["true"]}}}
  - {name: log, image: IMAGE, command: [sleep, "1000"], volumeMounts: [{name: tmp, mountPath: /logs}]}
"""
NAMES = ["shop-side", "shop-web", "shop-log"]


REFERRING = """\
kind: ConfigMap
metadata: {name: cm}
data: {GREETING: hello, file: text}
binaryData: {bin: AP8=}
---
kind: Secret
metadata: {name: sec}
stringData: {pw: geheim}
---
kind: Pod
metadata: {name: shop, labels: {app: shop, tier: x}}
spec:
  volumes:
  - {name: c, configMap: {name: cm, defaultMode: 0440, items: [{key: bin, path: a/b}]}}
  - {name: s, secret: {secretName: sec, optional: true}}
  - name: p
    projected:
      sources: [{configMap: {name: cm}}, {downwardAPI: {items: [{path: l, fieldRef: {fieldPath: metadata.labels}}]}}]
  containers:
  - name: web
    image: IMAGE
    command: [sleep, "1000"]
    envFrom: [{configMapRef: {name: cm}, prefix: CM_}, {secretRef: {name: sec}}]
    env:
    - {name: PW, valueFrom: {secretKeyRef: {name: sec, key: pw}}}
    - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
    - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    resources: {limits: {memory: 64Mi, cpu: 500m}, requests: {cpu: 250m}}
    volumeMounts: [{name: c, mountPath: /c}, {name: s, mountPath: /s}, {name: p, mountPath: /p}]
"""


def facts(podpy: Podpy, names: list[str] = NAMES) -> Any:
    """Return what is the same of two pods that are alike: everything but ids, times, and names made of ids."""
    found = [*podpy.json("inspect", *names), *podpy.json("pod", "inspect", "shop")]
    kept = (
        "Config",
        "HostConfig",
        "Mounts",
        "Path",
        "Args",
        "Labels",
        "InfraConfig",
        "SharedNamespaces",
        "RestartPolicy",
    )
    text = repr([{key: one[key] for key in kept if key in one} for one in found])
    text = re.sub(r"/home-\w+/|[0-9a-f]{64}|HOSTNAME=[0-9a-f]{12}|'Hostname': '[0-9a-f]{12}'", "ID", text)
    return re.sub(r"'Created[^,]*,", "", text)


def text_of(podpy: Podpy) -> str:
    return re.sub(r"creationTimestamp: .*", "", podpy.ok("kube", "generate", "shop", "data"))


def test_play_generate_play_gives_the_same_containers(podpy: Podpy, busybox: str) -> None:
    podpy.ok("kube", "play", "--start=false", "-", input=SHOP.replace("IMAGE", busybox))
    before, text = facts(podpy), text_of(podpy)
    podpy.ok("kube", "play", "--start=false", "--replace", "-", input=podpy.ok("kube", "generate", "shop", "data"))
    assert text_of(podpy) == text
    assert facts(podpy) == before


def test_references_to_configmaps_secrets_and_fields_come_back(podpy: Podpy, busybox: str) -> None:
    names = ["shop-web"]
    podpy("kube", "play", "--start=false", "-", input=REFERRING.replace("IMAGE", busybox)).fails(0)
    before, generated = facts(podpy, names), podpy("kube", "generate", "shop")
    text = generated.stdout
    assert "geheim" not in text and "hello" in text
    assert "the secret sec isn't in the YAML" in generated.stderr
    podpy("kube", "play", "--start=false", "--replace", "-", input=text).fails(0)
    assert facts(podpy, names) == before
    again = podpy("kube", "generate", "shop").stdout
    assert re.sub("creationTimestamp: .*", "", again) == re.sub("creationTimestamp: .*", "", text)
    podpy.ok("kube", "down", "-", input=text)
    podpy.ok("secret", "rm", "sec")
