"""`kube generate`: containers and volumes as Kubernetes YAML."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.support import images
from tests.support.engine import Podpy

WHOLE = """\
# Save the output of this file and use kubectl create -f to import
# it into Kubernetes.
#
# Created with podpy-VERSION

# NOTE: If you generated this yaml from an unprivileged and rootless podman container on an SELinux
# enabled system, check the podman generate kube man page for steps to follow to ensure that your pod/container
# has the right permissions to access the volumes added.
---
apiVersion: v1
kind: Pod
metadata:
  annotations:
    a.b/c: d
  creationTimestamp: "NOW"
  labels:
    app: k1-pod
  name: k1-pod
spec:
  containers:
  - command:
    - sleep
    - "100"
    env:
    - name: FOO
      value: bar
    - name: Q
      value: a b
    - name: HOSTNAME
      value: hk
    image: localhost/busybox:latest
    livenessProbe:
      exec:
        command:
        - /bin/sh
        - -c
        - test -f /x
      failureThreshold: 2
      periodSeconds: 10
      timeoutSeconds: 30
    name: k1
    ports:
    - containerPort: 80
      hostPort: 8087
    - containerPort: 53
      hostIP: 127.0.0.1
      hostPort: 53
      protocol: UDP
    resources:
      limits:
        cpu: 500m
        memory: 64Mi
    securityContext:
      capabilities:
        add:
        - SYS_TIME
      readOnlyRootFilesystem: true
      runAsGroup: 0
      runAsUser: 4000
    volumeMounts:
    - mountPath: /hosttmp
      name: tmp-host-0
      readOnly: true
    - mountPath: /tt
      name: tmp-1
    - mountPath: /data
      name: v1-pvc
    workingDir: /tmp
  hostname: hk
  restartPolicy: OnFailure
  volumes:
  - hostPath:
      path: /tmp
      type: Directory
    name: tmp-host-0
  - emptyDir:
      medium: Memory
    name: tmp-1
  - name: v1-pvc
    persistentVolumeClaim:
      claimName: v1

"""
CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  annotations:
    volume.podman.io/driver: local
  creationTimestamp: "NOW"
  labels:
    tier: db
  name: v1
spec:
  accessModes:
  - ReadWriteOnce
  resources:
    requests:
      storage: 1Gi
status: {}

"""


def text_of(podpy: Podpy, *words: str) -> str:
    """Return what `kube generate` prints, without the version and the time."""
    shown = podpy("kube", "generate", *words)
    shown.ok()
    text = re.sub(r"podpy-\d\S+", "podpy-VERSION", shown.stdout)
    return re.sub(r'"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"', '"NOW"', text)


def documents(podpy: Podpy, *words: str) -> list[dict[str, Any]]:
    return [*yaml.safe_load_all(podpy.ok("kube", "generate", *words))]


def only(podpy: Podpy, *words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the spec of the pod, and of its only container."""
    spec = documents(podpy, *words)[0]["spec"]
    return spec, spec["containers"][0]


def test_a_container_is_written_as_podman_writes_it(podpy: Podpy, busybox: str) -> None:
    """The expected text is Podman 5.4.2's, but for what a cluster wouldn't take, and for the check (Podman 6.1)."""
    podpy.ok("volume", "create", "--label=tier=db", "--label=no label=x", "v1")
    podpy.ok(
        *"create --name=k1 -p=8087:80 -p=127.0.0.1:53:53/udp -v=v1:/data -v=/tmp:/hosttmp:ro -e=FOO=bar".split(),
        *"--memory=64m --cpus=0.5 --cap-drop=NET_RAW --cap-add=SYS_TIME --health-cmd".split(), "test -f /x",
        *"--health-interval=10s --health-retries=2 --label=l1=v1 --restart=on-failure --user=4000 -e".split(), "Q=a b",
        *"--workdir=/tmp --read-only --tmpfs=/tt --hostname=hk --annotation=a.b/c=d".split(), busybox, "sleep", "100",
    )  # fmt: skip
    assert text_of(podpy, "k1") == WHOLE
    head = "".join(WHOLE.splitlines(keepends=True)[:4])
    assert text_of(podpy, "v1") == head + CLAIM
    both = text_of(podpy, "k1", "v1")
    assert both.index("kind: PersistentVolumeClaim") < both.index("kind: Pod\n")
    podpy("kube", "generate", "-t=deployment", "k1").fails(125, "k8s Deployments can only have restartPolicy set to")
    podpy("kube", "generate", "-t=daemonset", "k1").fails(125, "k8s DaemonSets can only have restartPolicy set to")
    job = documents(podpy, "--type=job", "k1")[0]
    assert (job["apiVersion"], job["kind"], job["metadata"]["name"]) == ("batch/v1", "Job", "k1-pod-job")
    assert job["spec"]["completions"] == 1 and job["spec"]["template"]["spec"]["restartPolicy"] == "OnFailure"


def test_a_file_is_written_once(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=web", busybox, "top")
    file = podpy.home / "web.yaml"
    assert podpy.ok("generate", "kube", "-f", str(file), "web") == ""
    assert file.read_text().endswith("    name: web\n")
    podpy("kube", "generate", "-f", str(file), "web").fails(125, f'Error: cannot write to "{file}"; file exists')
    podpy("kube", "generate", "-f=/nosuch/x", "web").fails(125, 'cannot write to "/nosuch/x": open /nosuch/x: no such')
    podpy("kube", "generate", "nosuch").fails(125, 'Error: name or ID "nosuch" not found')
    podpy("kube", "generate", "--type=cronjob", "web").fails(125, "invalid generation type - only pods, deployments")
    podpy("kube", "generate", "--replicas=2", "web").fails(125, "--replicas can only be set when --type is set to depl")
    podpy("kube", "generate", "--replicas=0", "web").fails(125, "--replicas has to be greater than or equal to 1")
    podpy.ok("create", "--name=always", "--restart=always", busybox, "top")
    podpy("kube", "generate", "--type=job", "always").fails(125, "k8s Jobs can not have restartPolicy set to Always")


def test_a_deployment_and_its_service_find_the_pods_by_their_label(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=my_web", "-p=80-81", "-p=80:80/udp", "--network=none", busybox, "top")
    podpy.ok("create", "--name=web", "-p=80", "-p=8053:80/udp", busybox, "top")
    service, deployment = documents(podpy, "-s", "-t=deployment", "-r=3", "web")
    assert deployment["kind"] == "Deployment" and deployment["spec"]["replicas"] == 3
    template = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"] == {"app": "web-pod"}
    assert template["spec"]["containers"][0]["ports"] == [
        {"containerPort": 80},
        {"containerPort": 80, "protocol": "UDP"},
    ]
    assert service["spec"]["selector"] == {"app": "web-pod"} and service["spec"]["type"] == "NodePort"
    found = [
        (port["name"], port["port"], port["targetPort"], port.get("protocol")) for port in service["spec"]["ports"]
    ]
    assert found == [("80", 80, 80, None), ("80-2", 80, 80, "UDP")]
    nodes = {port["nodePort"] for port in service["spec"]["ports"]}
    assert len(nodes) == 2 and all(30000 <= node <= 32767 for node in nodes)
    headless = documents(podpy, "-s", "my_web")[0]["spec"]
    assert headless == {"clusterIP": "None", "selector": {"app": "myweb-pod"}}


def test_all_containers_are_one_pod_and_share_what_they_mount_from_one_place(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name=a_b", "--tmpfs=/t:size=1m", "-v=/tmp:/1", "-v=My_Data:/d", "--annotation=n/x=1", busybox)
    podpy.ok(
        "create", "--name=AB", "--tmpfs=/t", "-v=/tmp:/1", "-v=My_Data:/d:ro", "-v=/anon", "--annotation=n/x=2", busybox
    )
    pod = documents(podpy, "a_b", "AB")[0]
    first, second = pod["spec"]["containers"]
    assert (pod["metadata"]["name"], first["name"], second["name"]) == ("ab-pod", "ab", "ab-2")
    assert pod["metadata"]["annotations"] == {"n/x.ab": "1", "n/x.ab-2": "2"}
    volumes = {volume.pop("name"): volume for volume in pod["spec"]["volumes"]}
    mounted = [{mount["mountPath"]: mount["name"] for mount in one["volumeMounts"]} for one in (first, second)]
    assert mounted[0]["/1"] == mounted[1]["/1"] and mounted[0]["/d"] == mounted[1]["/d"] == "my-data-pvc"
    assert volumes[mounted[0]["/t"]] == {"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    assert mounted[0]["/t"] != mounted[1]["/t"] and volumes[mounted[1]["/anon"]] == {"emptyDir": {}}
    assert volumes["my-data-pvc"] == {"persistentVolumeClaim": {"claimName": "my-data"}} and len(volumes) == 5
    assert [mount for mount in second["volumeMounts"] if mount.get("readOnly")] == [
        {"mountPath": "/d", "name": "my-data-pvc", "readOnly": True}
    ]
    own = documents(podpy, "--podman-only", "a_b")[0]["spec"]["volumes"]
    assert {"name": "my-data-pvc", "persistentVolumeClaim": {"claimName": "My_Data"}} in own


def test_what_the_image_says_is_not_repeated(podpy: Podpy, busybox_image: images.Image) -> None:
    settings = {
        **busybox_image.settings, "Entrypoint": ["sh", "-c"], "Cmd": ["echo $(A)"], "User": "1000:5",
        "WorkingDir": "/tmp", "Env": ["A=1", "B=2"], "Volumes": {"/data": {}},
    }  # fmt: skip
    archive = images.Image(busybox_image.layers, settings).write_docker_archive(podpy.home / "app.tar", "localhost/app")
    podpy.ok("load", "-i", str(archive))
    podpy.ok("create", "--name=same", "localhost/app")
    spec, container = only(podpy, "same")
    rights = {"runAsNonRoot": True}
    assert container == {
        "name": "same",
        "image": "localhost/app:latest",
        "args": ["echo $$(A)"],
        "securityContext": rights,
    }
    assert [*spec] == ["containers"]
    podpy.ok("create", "--name=other", "--entrypoint=", "--user=0", "-w=/", "-e=B=3", "-e=C=", "localhost/app", "ls")
    _, container = only(podpy, "other")
    assert container["command"] == ["ls"] and "args" not in container
    assert container["env"] == [{"name": "B", "value": "3"}, {"name": "C", "value": ""}]
    assert container["securityContext"] == {"runAsUser": 0, "runAsGroup": 0}


def test_rights_are_written_as_a_cluster_understands_them(podpy: Podpy, busybox: str) -> None:
    def rights(*words: str) -> dict[str, Any]:
        name = f"c{len(podpy.ok('ps', '-aq').split())}"
        podpy.ok("create", f"--name={name}", *words, busybox)
        found: dict[str, Any] = only(podpy, name)[1].get("securityContext", {})
        return found

    assert rights("--cap-drop=CHOWN") == {"capabilities": {"drop": ["CHOWN"]}}
    assert rights("--cap-drop=all", "--cap-add=chown") == {"capabilities": {"add": ["CHOWN"], "drop": ["ALL"]}}
    assert rights("--cap-add=all") == {"capabilities": {"add": ["ALL"]}}
    assert rights("--privileged", "--security-opt=no-new-privileges") == {"privileged": True}
    assert rights("--security-opt=no-new-privileges", "--security-opt=seccomp=unconfined") == {
        "allowPrivilegeEscalation": False,
        "seccompProfile": {"type": "Unconfined"},
    }
    labels = ("--security-opt=label=type:x_t", "--security-opt=label=level:s0")
    assert rights(*labels, "--security-opt=unmask=ALL") == {
        "procMount": "Unmasked",
        "seLinuxOptions": {"type": "x_t", "level": "s0"},
    }
    assert rights("--user=daemon") == {"runAsUser": 1, "runAsGroup": 1}


def test_limits_network_and_life_are_the_pods(podpy: Podpy, busybox: str) -> None:
    podpy.ok(
        *"create --name=web --cpu-shares=512 --memory=64m --memory-reservation=32m --cpu-quota=150000".split(),
        *"--dns=10.0.0.1 --dns-search=a.b --dns-option=ndots:2 --dns-option=rotate --add-host=x:10.0.0.2".split(),
        *"--add-host=y:10.0.0.2 --stop-timeout=30 --sysctl=net.ipv4.ip_unprivileged_port_start=80".split(),
        *"--ulimit=nofile=10:20 --restart=always --device=/dev/fuse -t -i".split(), busybox,
    )  # fmt: skip
    pod = documents(podpy, "web")[0]
    spec = pod["spec"]
    assert spec["containers"][0]["resources"] == {
        "limits": {"cpu": "1500m", "memory": "64Mi"},
        "requests": {"cpu": "500m", "memory": "32Mi"},
    }
    assert spec["containers"][0]["tty"] is spec["containers"][0]["stdin"] is True
    options = [{"name": "ndots", "value": "2"}, {"name": "rotate"}]
    assert spec["dnsConfig"] == {"nameservers": ["10.0.0.1"], "searches": ["a.b"], "options": options}
    assert spec["hostAliases"] == [{"ip": "10.0.0.2", "hostnames": ["x", "y"]}]
    assert spec["terminationGracePeriodSeconds"] == 30 and spec["restartPolicy"] == "Always"
    assert {"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"} in spec["securityContext"]["sysctls"]
    assert spec["volumes"] == [{"name": "dev-fuse-host", "hostPath": {"path": "/dev/fuse", "type": "CharDevice"}}]
    assert pod["metadata"]["annotations"] == {"io.podman.annotations.ulimit": "nofile=10:20"}
    podpy.ok("create", "--name=host", "--network=host", "--pid=host", "--ipc=host", "--rm", "--init", busybox)
    spec = documents(podpy, "host")[0]["spec"]
    assert spec["hostNetwork"] is spec["hostPID"] is spec["hostIPC"] is True
    own = documents(podpy, "--podman-only", "host")[0]["metadata"]["annotations"]
    assert own == {f"io.podman.annotations.{key}/host": "TRUE" for key in ("autoremove", "init")}


def test_a_port_that_the_host_chose_is_written(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name=web", "-p=127.0.0.1::80", busybox, "sleep", "100")
    port = int(podpy.ok("port", "web").rpartition(":")[2])
    wanted = {"containerPort": 80, "hostIP": "127.0.0.1", "hostPort": port}
    assert only(podpy, "web")[1]["ports"] == [wanted]


def test_a_secrets_value_never_gets_into_the_yaml(podpy: Podpy, busybox: str) -> None:
    podpy.ok("secret", "create", "token", "-", input="hunter2")
    podpy.ok("create", "--name=web", "--secret=token", "--secret=token,type=env,target=T", busybox)
    shown = podpy("kube", "generate", "web")
    assert "hunter2" not in shown.ok()
    assert "container web: the secret token isn't in the YAML: create it where the YAML is used" in shown.warnings


def test_what_no_pod_can_be_is_refused(podpy: Podpy) -> None:
    (podpy.home / "root").mkdir(mode=0o755)
    podpy.ok("create", "--name=r", "--rootfs", str(podpy.home / "root"), "sh")
    podpy("kube", "generate", "r").fails(125, "Error: k8s does not support Rootfs")
