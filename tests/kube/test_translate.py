"""What a pod's YAML asks for, as PodSpec and ContainerSpec; and each wrong value, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from podpy.kube.options import PlayOptions
from podpy.kube.play.workloads import workloads
from podpy.kube.reading.objects import Source, read
from podpy.kube.translate import annotations as annotated
from podpy.kube.translate import containers, pods, volumes
from podpy.spec.container import PortMapping
from tests.kube.translating import context_of, members, one, pod, pod_text, wrong

# Variables


def test_env_stands_over_envfrom_and_a_later_source_over_an_earlier_one() -> None:
    found = one(
        "envFrom: [{configMapRef: {name: cm}}, {secretRef: {name: sec}, prefix: ''}]\nenv: [{name: B, value: own}]"
    )
    assert {key: found.env[key] for key in ("A", "B", "pw")} == {"A": "from secret", "B": "own", "pw": "geheim"}
    assert one("envFrom: [{configMapRef: {name: cm}, prefix: CM_}]").env["CM_A"] == "1"
    assert one("envFrom: [{configMapRef: {name: no, optional: true}}]").env == {}


def test_a_variable_has_its_value_from_all_the_sources_that_there_are() -> None:
    sources = {
        "configMapKeyRef: {name: cm, key: A}": "1",
        "secretKeyRef: {name: sec, key: pw}": "geheim",
        "secretKeyRef: {name: stored, key: key}": "x",
        "fieldRef: {fieldPath: metadata.name}": "web",
        "fieldRef: {fieldPath: metadata.namespace}": "default",
        "fieldRef: {fieldPath: spec.nodeName}": "here",
        "fieldRef: {fieldPath: \"metadata.labels['app']\"}": "shop",
        "fieldRef: {fieldPath: \"metadata.annotations['x.y/z']\"}": "note",
        "resourceFieldRef: {resource: limits.memory, divisor: 1Mi}": "100",
        "resourceFieldRef: {resource: requests.memory}": "104857600",
        "resourceFieldRef: {resource: limits.cpu}": "1",
        "resourceFieldRef: {resource: limits.cpu, divisor: 1m}": "250",
    }
    for source, value in sources.items():
        container = f"resources: {{limits: {{cpu: 250m, memory: 100Mi}}}}\nenv: [{{name: V, valueFrom: {{{source}}}}}]"
        found = one(container, metadata="labels: {app: shop}\n  annotations: {x.y/z: note}")
        assert found.env == {"V": value}, source


def test_without_limits_a_resource_field_is_the_machines() -> None:
    env = "env: [{name: V, valueFrom: {resourceFieldRef: {resource: %s}}}]"
    assert one(env % "limits.memory").env == {"V": str(8 << 30)}
    assert one(env % "requests.cpu").env == {"V": "4"}


def test_names_in_values_commands_and_arguments_become_values_once() -> None:
    found = one(
        "env: [{name: A, value: '1'}, {name: B, value: '$(A)2'}, {name: C, value: '$$(A) $(LATER) $(B)'}, "
        "{name: LATER, value: z}]\n"
        "command: [run, '$(C)']\nargs: ['$(NO)', '$(B)', '$$']"
    )
    assert found.env == {"A": "1", "B": "12", "C": "$(A) $(LATER) 12", "LATER": "z"}
    assert found.entrypoint == ["run", "$(A) $(LATER) 12"]
    assert found.command == ["$(NO)", "12", "$"]


@pytest.mark.parametrize(
    ("container", "told"),
    [
        ("envFrom: [{configMapRef: {name: no}}]", "envFrom[0].configMapRef.name: configmap no not found"),
        ("envFrom: [{secretRef: {name: no}}]", "envFrom[0].secretRef.name: secret no not found"),
        (
            "env: [{name: V, valueFrom: {configMapKeyRef: {name: cm, key: no}}}]",
            "env[0].valueFrom.configMapKeyRef.key: cannot set env V: key no not found in configmap cm",
        ),
        (
            "env: [{name: V, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]",
            "env[0].valueFrom.fieldRef.fieldPath: can not set env V. Reason: fieldPath status.podIP is "
            "either not valid or "
            "not supported",
        ),
        ("env: [{value: x}]", "env[0].name: a variable needs a name without ="),
        (
            "env: [{name: V, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: '3'}}}]",
            "env[0].valueFrom.resourceFieldRef.divisor: divisor value 3 is not valid",
        ),
    ],
)
def test_a_variable_without_its_source_is_an_error_with_its_place(container: str, told: str) -> None:
    assert wrong(container) == f"f.yaml:18: spec.containers[0].{told}"


def test_a_secret_of_the_store_that_is_no_kubernetes_secret_is_refused() -> None:
    told = wrong("envFrom: [{secretRef: {name: text}}]")
    assert told.startswith("secret text:")


# Volumes


def test_volumes_of_configmaps_and_secrets_are_files_with_modes() -> None:
    spec = (
        "volumes:\n- {name: c, configMap: {name: cm, defaultMode: 0640}}\n"
        "- {name: s, secret: {secretName: sec, items: [{key: pw, path: a/b, mode: 256}]}}\n"
        "- {name: no, secret: {secretName: no, optional: true}}\n"
        "- name: p\n  projected:\n    sources: [{configMap: {name: cm, items: [{key: A, path: a}]}}, "
        "{downwardAPI: {items: [{path: l, fieldRef: {fieldPath: metadata.labels}}]}}]\n"
    )
    found = volumes.volumes(*context_of(pod_text(spec, metadata="labels: {b: '2', a: 'x\"y'}")))
    files = {name: [(each.path, each.data, each.mode) for each in volume.files] for name, volume in found.items()}
    assert files == {
        "c": [("A", b"1", 0o640), ("B", b"two", 0o640), ("bin", b"\0\xff", 0o640)],
        "s": [("a/b", b"geheim", 0o400)],
        "no": [],
        "p": [("a", b"1", 0o644), ("l", b'a="x\\"y"\nb="2"', 0o644)],
    }
    assert found["no"].kind == volumes.ABSENT


def test_mounts_have_their_volumes_options_and_subpaths() -> None:
    spec = (
        "volumes:\n- {name: e, emptyDir: {medium: Memory, sizeLimit: 64Mi}}\n- {name: h, hostPath: {path: "
        "/srv, type: Directory}}\n"
        "- {name: p, persistentVolumeClaim: {claimName: data}}\n- {name: c, configMap: {name: cm}}\n"
        "- {name: i, image: {reference: tools, pullPolicy: Never}}\n- {name: d, hostPath: {path: /dev/null, "
        "type: CharDevice}}\n"
        "- {name: no, configMap: {name: no, optional: true}}"
    )
    container = (
        "env: [{name: SUB, value: here}]\n"
        "volumeMounts:\n- {name: e, mountPath: /e}\n- {name: h, mountPath: /h, readOnly: true, "
        "mountPropagation: HostToContainer}\n"
        "- {name: p, mountPath: /p, subPathExpr: a/$(SUB)}\n- {name: c, mountPath: /c/A, subPath: A}\n- "
        "{name: i, mountPath: /i}\n"
        "- {name: d, mountPath: /dev/d}\n- {name: no, mountPath: /no}"
    )
    found = one(container, spec)
    assert [(m.type, m.source, m.target, m.subpath, m.options) for m in found.mounts] == [
        ("volume", "e", "/e", "", ["nocopy"]),
        ("bind", "/srv", "/h", "", ["ro", "rslave"]),
        ("volume", "data", "/p", "a/here", []),
        ("volume", "c", "/c/A", "A", ["ro", "nocopy"]),
        ("image", "tools", "/i", "", []),
    ]
    assert [(d.host, d.container) for d in found.devices] == [("/dev/null", "/dev/d")]
    own = volumes.volumes(*context_of(pod_text(spec)))
    assert (own["e"].in_memory, own["e"].size) == (True, 64 << 20)


@pytest.mark.parametrize(
    ("volume", "mount", "told"),
    [
        (
            "{name: v, nfs: {server: x, path: /}}",
            "{name: v, mountPath: /v}",
            '16: spec.volumes[0].nfs: failed to create volume "v": a volume is one of',
        ),
        (
            "{name: v, configMap: {name: no}}",
            "{name: v, mountPath: /v}",
            '16: spec.volumes[0].configMap.name: no such ConfigMap "no"',
        ),
        (
            "{name: v, secret: {secretName: no}}",
            "{name: v, mountPath: /v}",
            '16: spec.volumes[0].secret.secretName: no such secret "no"',
        ),
        (
            "{name: v, configMap: {name: cm, defaultMode: 644}}",
            "{name: v, mountPath: /v}",
            "16: spec.volumes[0].configMap.defaultMode: a mode must be between 0000 and 0777",
        ),
        (
            "{name: v, configMap: {name: cm, items: [{key: A, path: ../x}]}}",
            "{name: v, mountPath: /v}",
            '16: spec.volumes[0].configMap.items[0].path: "../x" is not a path below the volume',
        ),
        (
            "{name: v, hostPath: {path: x}}",
            "{name: v, mountPath: /v}",
            '16: spec.volumes[0].hostPath.path: failed to create volume "v": hostPath must be an absolute path',
        ),
        (
            "{name: v, hostPath: {path: /, type: Dir}}",
            "{name: v, mountPath: /v}",
            "16: spec.volumes[0].hostPath.type: invalid HostPath type Dir",
        ),
        (
            "{name: v, emptyDir: {}}",
            "{name: w, mountPath: /v}",
            "20: spec.containers[0].volumeMounts[0].name: volume mount w specified for container but not "
            "configured in volumes",
        ),
        (
            "{name: v, emptyDir: {}}",
            "{name: v, mountPath: v}",
            "20: spec.containers[0].volumeMounts[0].mountPath: parsing MountPath: invalid container path "
            '"v", must be an absolute path',
        ),
        (
            "{name: v, emptyDir: {}}",
            "{name: v, mountPath: /v, subPath: ../x}",
            '20: spec.containers[0].volumeMounts[0].subPath: subpath "../x" must be relative to the volume '
            'and without ".."',
        ),
        (
            "{name: v, emptyDir: {}}",
            "{name: v, mountPath: /v, subPathExpr: $(NO)}",
            '20: spec.containers[0].volumeMounts[0].subPathExpr: "$(NO)" names an unknown variable',
        ),
        (
            "{name: v, emptyDir: {sizeLimit: 64MB}}",
            "{name: v, mountPath: /v}",
            '16: spec.volumes[0].emptyDir.sizeLimit: "64MB" is not a quantity, such as 500m or 64Mi',
        ),
    ],
)
def test_a_wrong_volume_or_mount_is_an_error_with_its_place(volume: str, mount: str, told: str) -> None:
    assert wrong(f"volumeMounts: [{mount}]", f"volumes:\n- {volume}").startswith(f"f.yaml:{told}")


# Rights


def test_the_containers_securitycontext_stands_over_the_pods(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("{}")
    spec = (
        "securityContext: {runAsUser: 1000, runAsGroup: 1001, fsGroup: 7, supplementalGroups: [5, 6], "
        "runAsNonRoot: true,"
        " seLinuxOptions: {type: t}, seccompProfile: {type: Unconfined}, sysctls: [{name: "
        "net.core.somaxconn, value: '9'}]}"
    )
    found = one(spec=spec)
    assert (found.user, found.groups, found.security_labels) == ("1000:1001", ["5", "6", "7"], ["type:t"])
    assert found.seccomp == "unconfined"
    assert pod(spec).container.sysctls == {"net.core.somaxconn": "9"}
    own = (
        "securityContext: {runAsUser: 2, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, "
        "procMount: Unmasked,"
        " capabilities: {add: [NET_ADMIN], drop: [ALL]}, seccompProfile: {type: Localhost, localhostProfile: p.json}}"
    )
    found = one(own, spec, seccomp_root=str(tmp_path))
    assert (found.user, found.read_only, found.no_new_privileges, found.unmask) == ("2:1001", True, True, ["ALL"])
    assert (found.cap_add, found.cap_drop, found.seccomp) == (["NET_ADMIN"], ["ALL"], str(tmp_path / "p.json"))
    assert members(spec)[0].spec.not_root
    assert not members(spec, "securityContext: {runAsNonRoot: false}")[0].spec.not_root


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ("runAsUser: 4294967295", "runAsUser: 4294967295 isn't a user or group id"),
        ("capabilities: {add: [NO_SUCH]}", "capabilities: "),
        (
            "seccompProfile: {type: Localhost, localhostProfile: ../x}",
            'seccompProfile.localhostProfile: "../x" is not a path below',
        ),
        ("procMount: All", 'procMount: "All" is neither Default nor Unmasked'),
    ],
)
def test_a_wrong_right_is_an_error_with_its_place(context: str, told: str) -> None:
    assert wrong(f"securityContext: {{{context}}}").startswith(f"f.yaml:18: spec.containers[0].securityContext.{told}")


def test_limits_requests_and_gpus() -> None:
    found = one("resources: {limits: {cpu: 500m, memory: 64Mi, nvidia.com/gpu: 2}, requests: {memory: 32Mi, cpu: '1'}}")
    assert (found.resources.cpu_quota, found.resources.cpu_period) == (50000, 100000)
    assert (found.resources.memory, found.resources.memory_reservation) == (64 << 20, 32 << 20)
    assert found.cdi_devices == ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]
    assert one("resources: {limits: {nvidia.com/gpu=all: 1}}").cdi_devices == ["nvidia.com/gpu=all"]
    place = "f.yaml:18: spec.containers[0].resources.limits.memory: "
    assert wrong("resources: {limits: {memory: much}}") == f'{place}"much" is not a quantity, such as 500m or 64Mi'


# Probes and hooks


def test_probes_become_checks_without_a_program_in_the_image() -> None:
    found = one(
        "ports: [{name: http, containerPort: 8080}]\n"
        "livenessProbe: {httpGet: {path: /h, port: http, httpHeaders: [{name: A, value: b}]}, "
        "periodSeconds: 5, initialDelaySeconds: 3}\n"
        "startupProbe: {grpc: {port: 9, service: s}, failureThreshold: 30}\n"
        "readinessProbe: {tcpSocket: {port: 80}, successThreshold: 2}\n"
        "lifecycle: {postStart: {exec: {command: [a]}}, preStop: {sleep: {seconds: 4}}, stopSignal: SIGINT}"
    ).health
    assert found is not None
    assert found.test == ["HTTP", "http://localhost:8080/h", "A: b"]
    second = 1_000_000_000
    assert (found.interval, found.timeout, found.retries, found.initial_delay) == (5 * second, second, 3, 3 * second)
    assert found.startup is not None
    assert (found.startup.test, found.startup.retries) == (["GRPC", "localhost:9", "s"], 30)
    assert found.readiness is not None
    assert (found.readiness.test, found.readiness.successes) == (["TCP", "localhost:80"], 2)
    assert found.on_failure == "restart"


def test_hooks_and_the_stop_signal() -> None:
    found = one("lifecycle: {postStart: {exec: {command: [a, b]}}, preStop: {sleep: {seconds: 4}}, stopSignal: SIGINT}")
    assert (found.post_start, found.pre_stop, found.stop_signal) == (["CMD", "a", "b"], ["SLEEP", "4"], 2)


def test_a_container_that_never_restarts_isnt_restarted_by_its_probe() -> None:
    found = one("livenessProbe: {exec: {command: ['true']}}", "restartPolicy: Never")
    assert found.health is not None
    assert (found.health.test, found.health.on_failure) == (["CMD", "true"], "stop")
    assert found.restart_policy == "no"


@pytest.mark.parametrize(
    ("probe", "told"),
    [
        ("{httpGet: {port: web}}", "livenessProbe.httpGet.port: unknown port: web"),
        ("{httpGet: {port: 80, host: example.org}}", "livenessProbe.httpGet: probe host"),
        ("{tcpSocket: {port: 70000}}", "livenessProbe.tcpSocket: probe port 70000 is not between 1 and 65535"),
        ("{periodSeconds: 5}", "livenessProbe: exactly one of exec, httpGet, tcpSocket and grpc is required"),
        ("{exec: {command: []}}", "livenessProbe.exec.command: the command is missing"),
        ("{exec: {command: [a]}, periodSeconds: -1}", "livenessProbe.periodSeconds: -1 must be at least 1"),
        ("{exec: {command: [a]}, periodSeconds: 2147483648}", "livenessProbe.periodSeconds: 2147483648 is too large"),
    ],
)
def test_a_wrong_probe_is_an_error_with_its_place(probe: str, told: str) -> None:
    assert wrong(f"livenessProbe: {probe}").startswith(f"f.yaml:18: spec.containers[0].{told}")


# The pod


def test_the_pods_own_fields() -> None:
    found = pod(
        "shareProcessNamespace: true\nhostname: h\nrestartPolicy: OnFailure\n"
        "hostAliases: [{ip: 10.0.0.1, hostnames: [db, cache]}]\n"
        "dnsConfig: {nameservers: [1.1.1.1], searches: [a.b], options: [{name: ndots, value: '2'}, {name: rotate}]}",
        "ports: [{containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1}, {containerPort: 53, protocol: UDP}]",
        "labels: {app: web}",
    )
    assert (found.name, found.hostname, found.share) == ("web", "h", ["ipc", "net", "uts", "pid"])
    assert (found.restart_policy, found.exit_policy, found.labels) == ("on-failure", "stop", {"app": "web"})
    infra = found.container
    assert infra.add_hosts == ["db:10.0.0.1", "cache:10.0.0.1"]
    assert (infra.dns, infra.dns_search, infra.dns_options) == (["1.1.1.1"], ["a.b"], ["ndots:2", "rotate"])
    assert infra.ports == [PortMapping(container_port=80, host_port=8080, host_ip="127.0.0.1")]
    assert [(each.network, each.aliases) for each in infra.networks] == [
        ("podman-default-kube-network", ["main", "web-main", "web"])
    ]


def test_a_pod_is_found_by_the_names_of_the_services_that_choose_it() -> None:
    service = "kind: Service\nmetadata: {name: %s}\nspec: {selector: {%s}, ports: [{port: 80}]}\n---\n"
    text = service % ("db", "app: web") + service % ("other", "app: web, tier: x") + service % ("none", "")
    objects, notes = read([Source(file="f.yaml", data=(text + pod_text(metadata="labels: {app: web}")).encode())])
    (found,) = workloads(objects, PlayOptions())
    assert (found.services, notes) == (["db"], [])
    spec, context = context_of(pod_text())
    aliases = pods.pod_spec(spec, context.replace(names=found.services)).container.networks[0].aliases
    assert aliases[:3] == ["main", "web-main", "web"]
    assert aliases[3:] == ["db", "db.default", "db.default.svc", "db.default.svc.cluster.local"]


@pytest.mark.parametrize(
    ("replicas", "names"), [(0, []), (1, ["dep-pod"]), (3, ["dep-pod-0", "dep-pod-1", "dep-pod-2"])]
)
def test_multiple_pods_are_as_many_as_replicas_else_there_is_one(replicas: int, names: list[str]) -> None:
    template = "{metadata: {labels: {app: web}}, spec: {containers: [{name: main, image: i}]}}"
    text = f"kind: Deployment\nmetadata: {{name: dep}}\nspec: {{replicas: {replicas}, template: {template}}}\n"
    objects, _ = read([Source(file="f.yaml", data=text.encode())])
    found = workloads(objects, PlayOptions(multiple_pods=True))
    assert [each.name for each in found] == names
    assert all(each.labels == {"app": "web"} for each in found)
    (one_pod,) = workloads(objects, PlayOptions())
    assert one_pod.name == "dep-pod"


def test_the_hosts_namespaces() -> None:
    found = pod(
        "hostNetwork: true\nhostPID: true\nhostIPC: true\nhostUsers: false",
        "ports: [{containerPort: 80, hostPort: 80}]",
    )
    infra = found.container
    assert (infra.network, infra.pid, infra.ipc, infra.uts, infra.userns) == ("host", "host", "host", "host", "auto")
    assert (found.hostname, infra.ports) == ("here", [])
    assert one(spec="hostPID: true").pid == "host"


def test_options_of_the_command_stand_over_the_files() -> None:
    ports = "ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 81}]"
    published = [PortMapping(container_port=80, host_port=9999)]
    found = pod(container=ports, publish=published, publish_all=True, userns="keep-id", no_hosts=True)
    assert [(port.host_port, port.container_port) for port in found.container.ports] == [(9999, 80), (81, 81)]
    assert (found.container.userns, found.container.no_hosts) == ("keep-id", True)
    spec = one(no_pod_prefix=True, log_driver="none", log_options={"tag": "x"})
    assert (spec.name, spec.log_driver, spec.log_options) == ("main", "none", {"tag": "x"})
    assert wrong(spec="hostAliases: [{ip: 1.1.1.1, hostnames: [a]}]", no_hosts=True).startswith(
        "f.yaml:15: spec.hostAliases"
    )


def test_init_containers_run_first_and_a_sidecar_starts_before_what_comes_after_it() -> None:
    spec = (
        "initContainers:\n- {name: first, image: i}\n- {name: side, image: i, restartPolicy: Always, "
        "livenessProbe: {exec: {command: [x]}}}\n"
        "- {name: second, image: i}"
    )
    found = members(spec)
    assert [(m.spec.name, m.spec.init_container, m.spec.restart_policy, m.spec.requires) for m in found] == [
        ("web-first", "once", "no", []),
        ("web-side", "", "always", []),
        ("web-second", "once", "no", ["web-side"]),
        ("web-main", "", "always", ["web-side"]),
    ]
    place = "f.yaml:16: spec.initContainers[0].livenessProbe: "
    assert wrong(spec="initContainers:\n- {name: a, image: i, livenessProbe: {exec: {command: [x]}}}").startswith(place)


@pytest.mark.parametrize(
    ("image", "policy", "wanted"),
    [
        ("docker.io/library/nginx", "", "newer"),
        ("quay.io/a/b:latest", "", "newer"),
        ("quay.io/a/b:1", "", "missing"),
        ("nginx", "", "missing"),
        ("localhost/x:latest", "", "missing"),
        ("quay.io/a@sha256:1", "", "missing"),
        ("nginx", "Always", "always"),
        ("nginx", "IfNotPresent", "missing"),
        ("nginx", "never", "never"),
    ],
)
def test_when_an_image_is_pulled(image: str, policy: str, wanted: str) -> None:
    text = pod_text(container=f"imagePullPolicy: '{policy}'").replace("image: nginx", f"image: '{image}'")
    assert containers.members(*context_of(text))[0].pull_policy == wanted


@pytest.mark.parametrize(
    ("container", "spec", "told"),
    [
        (
            "imagePullPolicy: Sometimes",
            "",
            '18: spec.containers[0].imagePullPolicy: unsupported pull policy "Sometimes"',
        ),
        ("", "restartPolicy: Maybe", '15: spec.restartPolicy: "Maybe" is none of Always, OnFailure and Never'),
        (
            "",
            "initContainers: [{name: main, image: i}]",
            '17: spec.containers[0].name: the pod "web" is invalid; duplicate container name "main" detected',
        ),
        (
            "",
            "initContainers: [{name: a}]",
            "15: spec.initContainers[0].image: container \"a\" is missing the required 'image' field",
        ),
        (
            "ports: [{containerPort: 99999, hostPort: 1}]",
            "",
            "18: spec.containers[0].ports[0].containerPort: 99999 isn't a port number",
        ),
        ("lifecycle: {stopSignal: FOO}", "", "18: spec.containers[0].lifecycle.stopSignal: invalid signal: FOO"),
        ("", "dnsPolicy: None", "15: spec.dnsPolicy: None needs servers in dnsConfig"),
        (
            "livenessProbe: {tcpSocket: {port: '" + "9" * 5000 + "'}}",
            "",
            "18: spec.containers[0].livenessProbe.tcpSocket.port: unknown port: " + "9" * 40,
        ),
        (
            "ports: [{containerPort: " + "9" * 5000 + "}]",
            "",
            f'18: spec.containers[0].ports[0].containerPort: a whole number is expected, not the text "{"9" * 40}"',
        ),
        (
            "lifecycle: {preStop: {sleep: {seconds: 4294967295}}}",
            "",
            "18: spec.containers[0].lifecycle.preStop.sleep: a hook can't sleep for 4294967295 seconds",
        ),
        ("", "terminationGracePeriodSeconds: -1", "15: spec.terminationGracePeriodSeconds: -1 is no number of seconds"),
    ],
)
def test_a_wrong_field_is_an_error_with_its_place(container: str, spec: str, told: str) -> None:
    assert wrong(container, spec) == f"f.yaml:{told}"


# Annotations


def test_annotations_that_steer_are_left_out_unless_they_are_on_the_list() -> None:
    given = {
        "note": "x",
        "run.oci.keep_original_groups": "1",
        "org.systemd.property.MemoryMax": "uint64 1",
        "io.podman.annotations.privileged": "TRUE",
        "io.podman.annotations.checkpoint.name": "x",
        "io.podman.annotations.ulimit": "nofile=1:2",
        "io.podman.annotations.pids-limit/main": "9",
    }
    kept, left_out = annotated.allowed(given, {"run.oci.own": "the user's"})
    assert sorted(kept) == [
        "io.podman.annotations.pids-limit/main",
        "io.podman.annotations.ulimit",
        "note",
        "run.oci.own",
    ]
    assert left_out == [
        "run.oci.keep_original_groups", "org.systemd.property.MemoryMax",
        "io.podman.annotations.privileged", "io.podman.annotations.checkpoint.name",
    ]  # fmt: skip


def test_annotations_on_the_list_are_obeyed() -> None:
    found = one(
        metadata="annotations: {io.podman.annotations.ulimit: 'nofile=1:2', io.podman.annotations.pids-limit/main: '9',"
        " io.podman.annotations.cpuset/main: '0', io.podman.annotations.init/main: 'true',"
        " io.containers.autoupdate/main: registry}"
    )
    assert [(each.name, each.soft, each.hard) for each in found.ulimits] == [("nofile", 1, 2)]
    assert (found.resources.pids_limit, found.resources.cpuset_cpus, found.init) == (9, "0", True)
    assert found.labels == {"io.containers.autoupdate": "registry"}
    told = "io.podman.annotations.volumes-from/main: 'other:ro'"
    assert wrong(metadata=f"annotations: {{{told}}}").startswith("annotation io.podman.annotations.volumes-from/main")
