"""`kube play` and `kube down`, with YAML in the shapes of well-known guides."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support import ports, wait
from tests.support.engine import Podpy, Result, shared_directory

WAITS = "trap exit TERM; while :; do sleep 0.1; done"
CLAIM = "kind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce]}\n---\n"
SECRET = "kind: Secret\nmetadata: {name: sec}\nstringData: {pw: geheim}\n---\n"
NOTHING_DOWN = ["Pods stopped:", "Pods removed:", "Secrets removed:", "Volumes removed:"]


def play(podpy: Podpy, text: str, *options: str) -> Result:
    """Play YAML from standard input."""
    return podpy("kube", "play", *options, "-", input=text)


def pod(name: str, container: str, spec: str = "restartPolicy: Never") -> str:
    """Return a Pod with the container `main` of busybox; more lines of it, and of the pod's spec."""
    lines = ["apiVersion: v1", "kind: Pod", "metadata:", f"  name: {name}", "  labels: {app: test}", "spec:"]
    lines += [f"  {line}" for line in spec.splitlines()]
    lines += ["  containers:", "  - name: main", "    image: localhost/busybox"]
    return "\n".join([*lines, *(f"    {line}" for line in container.splitlines())]) + "\n"


def ids(out: str) -> dict[str, list[str]]:
    """Return the lines below each heading of what `kube play` or `kube down` printed."""
    found: dict[str, list[str]] = {}
    for line in out.splitlines():
        if line.endswith(":"):
            found[line[:-1]] = []
        elif line:
            found[list(found)[-1]].append(line)
    return found


def is_empty(podpy: Podpy) -> bool:
    """Return whether no pod, container, volume or secret is left."""
    lists = (("pod", "ps"), ("ps", "-a"), ("volume", "ls"), ("secret", "ls"))
    return not any(podpy(*command, "-q").ok() for command in lists)


def _lines(podpy: Podpy, container: str, count: int) -> list[str]:
    """Return a container's log when it has so many lines, else nothing."""
    lines = podpy("logs", container).stdout.splitlines()
    return lines if len(lines) == count else []


def test_a_pod_has_the_values_and_the_files_of_configmaps_and_secrets(podpy: Podpy, busybox: str) -> None:
    configmap = "kind: ConfigMap\nmetadata: {name: cm}\ndata: {GREETING: hello, file.txt: 'text'}\n---\n"
    script = "echo $GREETING $PW $NAME; cat /c/file.txt /s/pw; stat -c %a:%u /s/pw /e; touch /c/x || echo read-only"
    named = "{name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}"
    text = (configmap + SECRET) + pod(
        "web",
        f"command: [sh, -c, '{script}']\n"
        "envFrom: [{configMapRef: {name: cm}}]\n"
        f"env: [{{name: PW, valueFrom: {{secretKeyRef: {{name: sec, key: pw}}}}}}, {named}]\n"
        "volumeMounts: [{name: c, mountPath: /c}, {name: s, mountPath: /s}, {name: e, mountPath: /e}]",
        "restartPolicy: Never\n"
        "volumes: [{name: c, configMap: {name: cm}}, {name: e, emptyDir: {}},\n"
        "  {name: s, secret: {secretName: sec, defaultMode: 0400}}]",
    )
    made = ids(play(podpy, text).ok())
    assert [*made] == ["Secrets", "Pod", "Container"]
    assert podpy("wait", "web-main").ok() == "0"
    logged = podpy("logs", "web-main").stdout.splitlines()
    assert logged == ["hello geheim web", "textgeheim400:0", "777:0", "read-only"]
    found = ids(podpy("kube", "down", "-", input=text).ok())
    gone = {"Pods stopped": made["Pod"], "Pods removed": made["Pod"], "Secrets removed": made["Secrets"]}
    assert found == {**gone, "Volumes removed": []}
    assert is_empty(podpy)
    assert podpy("kube", "down", "-", input=text).ok().splitlines() == NOTHING_DOWN


def test_a_deployment_starts_after_its_init_containers_and_beside_its_sidecar(podpy: Podpy, busybox: str) -> None:
    image = "image: localhost/busybox"
    text = CLAIM + (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: dep}\nspec:\n  replicas: 3\n"
        "  selector: {matchLabels: {app: dep}}\n  template:\n    metadata: {labels: {app: dep}}\n    spec:\n"
        "      volumes:\n      - {name: d, persistentVolumeClaim: {claimName: data}}\n"
        "      - {name: m, emptyDir: {medium: Memory, sizeLimit: 1Mi}}\n"
        "      initContainers:\n"
        f"      - {{name: prep, {image}, command: [sh, -c, 'echo prepared > /d/x'],\n"
        "         volumeMounts: [{name: d, mountPath: /d, subPath: a/b}]}\n"
        f"      - {{name: side, {image}, restartPolicy: Always, command: [sh, -c, 'echo shared > /m/f; {WAITS}'],\n"
        "         volumeMounts: [{name: m, mountPath: /m}]}\n"
        f"      - {{name: second, {image}, command: [sh, -c, 'until test -s /m/f; do sleep 0.1; done'],\n"
        "         volumeMounts: [{name: m, mountPath: /m}]}\n"
        "      containers:\n"
        f"      - {{name: web, {image}, command: [sh, -c, 'cat /d/a/b/x /m/f; df /m; {WAITS}'],\n"
        "         volumeMounts: [{name: d, mountPath: /d}, {name: m, mountPath: /m}]}\n"
    )
    done = play(podpy, text)
    made = ids(done.ok())
    assert "Limiting replica count to 1" in done.warnings[0]
    assert made["Volumes"] == ["data"]
    assert len(made["Containers"]) == 2  # the init containers have run, and are gone
    assert podpy("pod", "ps", "--format", "{{.Name}} {{.Status}}").ok() == "dep-pod Running"
    logged = wait.until(lambda: _lines(podpy, "dep-pod-web", 4), what="four lines of the log")
    assert logged[:2] == ["prepared", "shared"]
    assert logged[3].split()[1] == "1024"  # KiB
    assert ids(podpy("kube", "down", "--force", "-", input=text).ok())["Volumes removed"] == ["data"]
    assert is_empty(podpy)


PROBED = """
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 3600
  containers:
  - name: main
    image: localhost/busybox
    command: [sh, -c, "cd /gate; httpd -p 127.0.0.1:8080; trap 'echo signal >> /gate/order; exit' TERM; touch ready;
      while :; do sleep 0.1; done"]
    ports: [{name: http, containerPort: 8080}]
    volumeMounts: [{name: gate, mountPath: /gate}]
    startupProbe: {tcpSocket: {port: http}, periodSeconds: 1, failureThreshold: 1000}
    livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 60}
    lifecycle:
      postStart: {exec: {command: [sh, -c, "touch /gate/live; until [ -e /gate/ready ]; do sleep 0.05; done"]}}
      preStop: {exec: {command: [sh, -c, "echo hook >> /gate/order"]}}
  - name: other
    image: localhost/busybox
    command: [sh, -c, "trap exit TERM; while :; do sleep 0.1; done"]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
  volumes: [{name: gate, hostPath: {path: GATE}}]
"""


def test_probes_and_hooks_of_a_pod(podpy: Podpy, busybox: str) -> None:
    gate = shared_directory(podpy)
    play(podpy, PROBED.replace("GATE", str(gate))).ok()
    assert podpy.ok("wait", "--condition=healthy", "web-main") == "-1"
    shown = "{{.State.Readiness.Status}}"  # of a server in the other container: they share their network
    wait.until(lambda: podpy.ok("inspect", "--format", shown, "web-other") == "ready", what="it is ready")
    (gate / "live").unlink()
    restarts = "{{.RestartCount}}"
    wait.until(lambda: podpy.ok("inspect", "--format", restarts, "web-main") == "1", what="an unhealthy one restarts")
    assert podpy.ok("wait", "--condition=healthy", "web-main") == "-1"
    assert (gate / "order").read_text() == "hook\nsignal\n"
    podpy("kube", "down", "-", input=PROBED).ok()
    assert (gate / "order").read_text() == "hook\nsignal\n" * 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_or_a_closed_terminal_ends_the_waiting_and_removes_everything(
    podpy: Podpy, busybox: str, number: signal.Signals
) -> None:
    (podpy.home / "web.yaml").write_text(pod("web", f"command: [sh, -c, '{WAITS}']"))
    former = signal.signal(number, signal.SIG_DFL)  # a suite that nohup(1) started ignores SIGHUP, and so would podpy
    waiting = podpy.popen("kube", "play", "--wait", "web.yaml", stdout=subprocess.PIPE)
    signal.signal(number, former)
    assert waiting.stdout
    wait.for_text(waiting.stdout, b"Container:")
    waiting.send_signal(number)
    rest = waiting.stdout.read().decode()
    assert waiting.wait() == 0
    assert "\nCleaning up containers, pods, and volumes...\nPods stopped:\n" in rest
    assert is_empty(podpy)


def test_ctrl_c_before_anything_is_made_leaves_what_was_there(podpy: Podpy, busybox: str) -> None:
    play(podpy, pod("web", f"command: [sh, -c, '{WAITS}']")).ok()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = pod("web", "command: [sh]").replace("localhost", f"127.0.0.1:{silent.getsockname()[1]}")
        (podpy.home / "web.yaml").write_text(text)
        playing = podpy.popen("kube", "play", "--wait", "--replace", "web.yaml", stdout=subprocess.PIPE)
        assert playing.stdout
        silent.accept()  # it pulls
        playing.send_signal(signal.SIGINT)
        assert b"Pods removed:\nSecrets" in playing.stdout.read()
        assert playing.wait() == 0
    assert podpy.ok("pod", "ls", "--format={{.Name}} {{.Status}}") == "web Running"


def test_a_job_with_a_sidecar_and_wait_is_removed_when_it_has_ended(podpy: Podpy, busybox: str) -> None:
    text = CLAIM + (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: pi}\n"
        "spec:\n  template:\n    spec:\n      restartPolicy: Never\n"
        "      volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]\n"
        "      initContainers:\n"
        "      - {name: side, image: localhost/busybox, restartPolicy: Always, command: [sleep, '1000']}\n"
        "      terminationGracePeriodSeconds: 0\n"
        "      containers: [{name: pi, image: localhost/busybox, command: [sh, -c, 'exit 1'],\n"
        "        volumeMounts: [{name: d, mountPath: /d}]}]\n"
    )
    out = play(podpy, text, "--wait").ok().splitlines()
    assert out[0] == "Use ctrl+c to clean up or wait for pods to exit"
    assert "Cleaning up containers, pods, and volumes..." in out
    assert out[-2:] == ["Volumes removed:", "data"]
    assert is_empty(podpy)


def test_what_fails_in_the_middle_removes_what_it_made(podpy: Podpy, busybox: str, tmp_path: Path) -> None:
    text = CLAIM + SECRET
    made = podpy.home / "made"
    host = f"restartPolicy: Never\nvolumes: [{{name: h, hostPath: {{path: {made}, type: DirectoryOrCreate}}}}]"
    text += pod("one", "command: ['true']", host) + "---\n" + pod("two", "command: ['true']")
    podpy("pod", "create", "--name", "two").ok()
    play(podpy, text).fails(125, 'adding pod to state: name "two" is in use: pod already exists')
    assert not made.exists()
    podpy("pod", "rm", "two").ok()
    assert is_empty(podpy)


def test_replace_takes_the_old_pod_away_only_if_the_new_ones_images_are_there(podpy: Podpy, busybox: str) -> None:
    text = pod("web", f"command: [sh, -c, '{WAITS}']", "terminationGracePeriodSeconds: 5")
    old = ids(play(podpy, text).ok())["Pod"]
    broken = text.replace("localhost/busybox", "localhost/no")
    play(podpy, broken + "    imagePullPolicy: Never\n", "--replace").fails(125, "localhost/no")
    wrong = text + "    ports: [{containerPort: 80, hostPort: 18080, hostIP: here}]\n"
    play(podpy, wrong, "--replace").fails(125, 'hostIP: "here" isn\'t an IP address')
    told = play(podpy, text).fails(125, 'name "web" is in use: pod already exists')
    assert "Hint: --replace removes the pods of these names first" in told.stderr
    assert podpy("pod", "ps", "-q", "--no-trunc").ok().split() == old
    again = ids(play(podpy, text, "--replace").ok())
    assert again["Pods removed"] == old
    assert podpy("pod", "ps", "-q", "--no-trunc").ok().split() == again["Pod"] != old
    podpy("kube", "down", "-", input=text).ok()


def test_a_container_that_cant_start_is_told_and_stays(podpy: Podpy, busybox: str) -> None:
    done = play(podpy, pod("web", "command: [nosuchcmd]"))
    done.fails(125, "nosuchcmd", "Error: failed to start 1 containers")
    assert ids(done.stdout)["Container"] == podpy("ps", "-aq", "--no-trunc", "-f", "name=web-main").ok().split()
    podpy("pod", "rm", "-f", "web").ok()


@pytest.mark.parametrize(
    ("context", "code", "told"),
    [
        (
            "{runAsNonRoot: true}",
            125,
            ":10: spec.containers[0].image: container has runAsNonRoot and image will run as",
        ),
        ("{runAsNonRoot: true, runAsUser: 0}", 125, "container has runAsNonRoot and image will run as root"),
        ("{runAsNonRoot: true, runAsUser: 1000}", 0, ""),
    ],
)
def test_a_container_that_mustnt_run_as_root_doesnt(
    podpy: Podpy, busybox: str, context: str, code: int, told: str
) -> None:
    done = play(podpy, pod("web", f"command: [id, -u]\nsecurityContext: {context}"))
    assert done.returncode == code, done.describe()
    assert told in done.stderr
    if not code:
        assert podpy("wait", "web-main").ok() == "0"
        assert podpy("logs", "web-main").ok() == "1000"


def test_a_user_that_isnt_mapped_is_told_in_plain_words(podpy: Podpy, busybox: str) -> None:
    text = pod("web", "command: ['true']", "restartPolicy: Never\nsecurityContext: {runAsUser: 2000000000}")
    play(podpy, text).fails(125, "user id 2000000000 isn't mapped in the container's user namespace")
    podpy("kube", "down", "-", input=text).ok()
    podpy("run", "--rm", "--user=1000:2000000000", busybox, "true").fails(126, "group id 2000000000 isn't mapped")


def test_an_image_whose_user_is_root_by_another_name_is_refused_when_it_starts(podpy: Podpy, busybox: str) -> None:
    podpy("run", "--name", "c", busybox, "sh", "-c", "echo toor:x:0:0::/: >> /etc/passwd").ok()
    podpy("commit", "-q", "--change", "USER toor", "c", "localhost/toor").ok()
    podpy("rm", "c").ok()
    text = pod("web", "command: [id]\nsecurityContext: {runAsNonRoot: true}")
    done = play(podpy, text.replace("localhost/busybox", "localhost/toor"))
    done.fails(125, "container has runAsNonRoot and image will run as root")
    podpy("pod", "rm", "-f", "web").ok()


def test_options_of_play_reach_the_pod_and_its_containers(podpy: Podpy, busybox: str) -> None:
    port = ports.free()
    text = pod("web", f"command: [sh, -c, '{WAITS}']\nports: [{{containerPort: 80, hostPort: 1}}]", "")
    options = ("--publish", f"127.0.0.1:{port}:80", "--label", "a=b", "--annotation", "note=x", "--no-pod-prefix")
    play(podpy, text, *options, "--log-driver", "none", "--start=false", "--network", "none").fails(0)
    found = podpy.json("inspect", "main")[0]
    assert (found["Config"]["Labels"]["a"], found["Config"]["Labels"]["app"]) == ("b", "test")
    assert found["Config"]["Annotations"]["note"] == "x"
    assert found["HostConfig"]["LogConfig"]["Type"] == "none"
    assert found["State"]["Status"] == "created"
    infra = podpy.json("pod", "inspect", "web")
    infra = infra[0] if isinstance(infra, list) else infra
    assert infra["Labels"] == {"app": "test", "a": "b"}


def test_a_file_of_another_machine_doesnt_steer_the_oci_runtime(podpy: Podpy, busybox: str) -> None:
    text = pod("web", "command: ['true']").replace(
        "labels: {app: test}", "annotations: {run.oci.keep_original_groups: '1', note: x}"
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_arguments: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        done = podpy("play", "kube", f"http://127.0.0.1:{server.server_port}/pod.yaml")
        server.shutdown()
        thread.join()
    done.ok()
    assert "run.oci.keep_original_groups" in done.warnings[0]
    annotations = podpy.json("inspect", "web-main")[0]["Config"]["Annotations"]
    assert annotations["note"] == "x"
    assert "run.oci.keep_original_groups" not in annotations


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("kind: Service\n", (), "YAML document does not contain any supported kube kind"),
        ("", (), "YAML document does not contain any supported kube kind"),
        ("kind: ConfigMap\nmetadata: {name: c}", (), "ConfigMaps in podman are not a standalone object"),
        ("kind: Pod\nmetadata: {name: x}\nspec: {container: []}", ("--validate=strict",),
         'standard input:3: spec.container: unknown field, did you mean "containers"?'),
        (pod("x", "", "volumes: [{name: v, hostPath: {path: /no/such, type: Socket}}]"), (),
         'standard input:7: spec.volumes[0].hostPath.path: failed to create volume "v": stat /no/such: no such file'),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_nothing_is_made(
    podpy: Podpy, text: str, options: tuple[str, ...], told: str
) -> None:
    done = play(podpy, text, *options).fails(125, told)
    assert [line for line in done.complaints if line.startswith("Error: ")] == done.complaints
    podpy("kube", "play", "/no/such.yaml").fails(125, "Error: open /no/such.yaml: no such file or directory")


def test_two_files_with_equal_configmaps_are_refused(podpy: Podpy) -> None:
    configmap = "kind: ConfigMap\nmetadata: {name: cm}\ndata: {A: b}\n"
    (podpy.home / "cm.yaml").write_text(configmap)
    done = play(podpy, configmap + "---\n" + pod("x", ""), "--configmap", "cm.yaml")
    done.fails(125, "ambiguous configuration: the same config map cm is present in YAML and in --configmaps")
    assert json.loads(podpy("pod", "ps", "--format", "json").ok() or "[]") == []
