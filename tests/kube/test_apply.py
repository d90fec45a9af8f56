"""`kube apply`: documents to a cluster, against the stand-in of tests/kube/api_server.py; and kubectl's opinion."""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from podpy.errors import ConfigError
from podpy.kube.apply.kubeconfig import access
from tests.kube.api_server import TOKEN, APIServer
from tests.kube.test_play_again import REFERRING
from tests.support import needs, ports
from tests.support.engine import PATH, Podpy

CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {}}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"containers": [{"name": "web", "image": "nginx"}]},
    "status": {},
}
PLUGIN = """#!/bin/sh
case $KUBERNETES_EXEC_INFO in *'"kind":"ExecCredential"'*) ;; *) echo no info >&2; exit 3;; esac
echo "{\\"kind\\": \\"ExecCredential\\", \\"status\\": {\\"token\\": \\"$1$REST\\"}}"
"""


@pytest.fixture
def directory(session_base: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="cluster-", dir=session_base))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(directory: Path) -> Iterator[APIServer]:
    """A server that wants a client's certificate."""
    with APIServer.start(directory) as running:
        yield running


@pytest.fixture
def by_token(directory: Path) -> Iterator[APIServer]:
    """A server that wants a token."""
    with APIServer.start(directory, token=TOKEN) as running:
        yield running


def base64_of(path: str) -> str:
    return base64.b64encode(Path(path).read_bytes()).decode()


def kubeconfig(podpy: Podpy, to: APIServer, user: dict[str, Any], *, name: str = "config", **cluster: Any) -> str:
    """Write a kubeconfig with the context `here`, in the namespace `shop`, and return its path."""
    known = {"server": to.url, "certificate-authority": to.file("ca.crt"), **cluster}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "alice", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": {key: value for key, value in known.items() if value}}],
        "users": [{"name": "alice", "user": user}],
    }
    path = podpy.home / name
    path.write_text(yaml.safe_dump(document))
    return str(path)


def certificate(server: APIServer) -> dict[str, str]:
    return {"client-certificate": server.file("client.crt"), "client-key": server.file("client.key")}


def manifest(podpy: Podpy, *documents: Any) -> str:
    path = podpy.home / "shop.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return str(path)


def test_what_a_container_is_gets_to_the_cluster(podpy: Podpy, busybox: str, server: APIServer) -> None:
    podpy.ok("create", "--name=web", "-p=8080:80", "-v=data:/data", busybox, "top")
    known = kubeconfig(podpy, server, certificate(server))
    told = "Deploying to cluster...\nSuccessfully deployed workloads to cluster!"
    assert podpy.ok("kube", "apply", "-k", known, "--service", "web", "data") == told
    assert server.client == "alice"
    kinds = ["persistentvolumeclaims/data", "services/web-pod", "pods/web-pod"]
    assert [*server.objects] == [f"/api/v1/namespaces/shop/{kind}" for kind in kinds]
    pod = server.objects["/api/v1/namespaces/shop/pods/web-pod"]
    assert pod["metadata"]["managedFields"] == [{"manager": "podpy", "operation": "Apply"}]
    assert "creationTimestamp" not in pod["metadata"]
    assert pod["spec"]["containers"][0]["ports"] == [{"containerPort": 80}]
    assert server.requests[0] == "GET /api/v1" and len(server.requests) == 4
    assert server.requests[1].startswith("PATCH /api/v1/namespaces/shop/persistentvolumeclaims/data?fieldManager=podpy")
    assert podpy.ok("kube", "apply", "-k", known, "web") == told  # again: nothing changes


def test_a_file_is_sent_and_what_runs_comes_last(podpy: Podpy, by_token: APIServer) -> None:
    known = kubeconfig(podpy, by_token, {"token": TOKEN})
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "else"}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "else"}}
    path = manifest(podpy, POD, deployment, {"kind": "List", "items": [CLAIM, space]}, None)
    podpy.ok("kube", "apply", "-f", path, env={"KUBECONFIG": known})
    assert [*by_token.objects] == [
        "/api/v1/namespaces/shop/persistentvolumeclaims/data",
        "/api/v1/namespaces/else",
        "/api/v1/namespaces/shop/pods/web",
        "/apis/apps/v1/namespaces/else/deployments/d",
    ]
    by_token.objects.clear()
    text = Path(manifest(podpy, POD)).read_text()
    podpy.ok("kube", "apply", "--kubeconfig", known, "--ns=other", "--file=-", input=text)
    assert [*by_token.objects] == ["/api/v1/namespaces/other/pods/web"]
    path = manifest(podpy, deployment)
    podpy("kube", "apply", "-k", known, "--ns=other", "-f", path).fails(125, '"else", but --ns is "other"')


def test_several_kubeconfigs_are_one_and_the_first_counts(podpy: Podpy, by_token: APIServer) -> None:
    first = kubeconfig(podpy, by_token, {}, name="first")
    text = Path(first).read_text()
    Path(first).write_text(yaml.safe_dump({**yaml.safe_load(text), "users": []}))
    (podpy.home / "token").write_text(f"{TOKEN}\n")
    second = kubeconfig(
        podpy, by_token, {"tokenFile": "token", "token": "old"}, name="second", server="http://127.0.0.1:1"
    )
    path = manifest(podpy, POD)
    podpy.ok("kube", "apply", "-f", path, env={"KUBECONFIG": f"{first}:/nosuch:{second}"})
    assert len(by_token.objects) == 1
    usual = podpy.home / ".kube"
    usual.mkdir(mode=0o755)
    shutil.copy(kubeconfig(podpy, by_token, {"token": TOKEN}), usual / "config")
    podpy.ok("kube", "apply", "-f", path)
    document = yaml.safe_load((usual / "config").read_text())
    (usual / "config").write_text(yaml.safe_dump({**document, "current-context": ""}))
    podpy.ok("kube", "apply", "-f", path)
    assert [*by_token.objects][-1] == "/api/v1/namespaces/default/pods/web"


def test_certificates_may_stand_in_the_kubeconfig(podpy: Podpy, server: APIServer) -> None:
    user = {f"{name}-data": base64_of(path) for name, path in certificate(server).items()}
    authority = {"certificate-authority": None, "certificate-authority-data": base64_of(server.file("ca.crt"))}
    path = manifest(podpy, POD)
    podpy.ok("kube", "apply", "-f", path, "-k", kubeconfig(podpy, server, user, **authority))
    assert server.client == "alice"
    named = {"server": server.url.replace("127.0.0.1", "localhost"), "tls-server-name": "api.example"}
    podpy.ok("kube", "apply", "-f", path, "-k", kubeconfig(podpy, server, user, **named))
    assert server.headers["Host"].startswith("localhost:")
    wrong = kubeconfig(podpy, server, {**user, "client-key-data": base64_of(server.file("server.key"))})
    podpy("kube", "apply", "-f", path, "-k", wrong).fails(125, "the client's certificate or its key is wrong")
    half = kubeconfig(podpy, server, {"client-certificate": server.file("client.crt")})
    podpy("kube", "apply", "-f", path, "-k", half).fails(125, "a client's certificate needs its key")


def test_only_the_clusters_authority_is_trusted(podpy: Podpy, by_token: APIServer) -> None:
    user, path = {"token": TOKEN}, manifest(podpy, POD)
    without = kubeconfig(podpy, by_token, user, **{"certificate-authority": None})
    podpy("kube", "apply", "-f", path, "-k", without).fails(
        125,
        f"Error: {by_token.url}: its certificate isn't trusted:",
        "Hint: Give the cluster's authority: --ca-cert-file",
    )
    assert not by_token.objects
    podpy.ok("kube", "apply", "-f", path, "-k", without, f"--ca-cert-file={by_token.file('ca.crt')}")
    podpy.ok("kube", "apply", "-f", path, "-k", without, "--ca-cert-file=insecure")
    other = kubeconfig(podpy, by_token, user, **{"certificate-authority": by_token.file("client.crt")})
    podpy("kube", "apply", "-f", path, "-k", other, env={"SSL_CERT_FILE": by_token.file("ca.crt")}).fails(
        125, "trusted"
    )
    skipping = kubeconfig(podpy, by_token, user, **{"certificate-authority": None, "insecure-skip-tls-verify": True})
    podpy.ok("kube", "apply", "-f", path, "-k", skipping)


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"clusters": 5}, "an entry of clusters has no cluster"),
        ({"users": [{"name": "u", "user": {"exec": "x"}}]}, "exec must be a mapping"),
        ({"users": [{"name": "u", "user": {"exec": {"args": 5}}}]}, "args of exec must be a list"),
        ({"users": [{"name": "u", "user": {"exec": {"env": [5]}}}]}, "env of exec must be a list of mappings"),
        ({"clusters": [{"name": "c", "cluster": {"proxy-url": 5}}]}, "proxy-url must be a text"),
    ],
)
def test_a_value_of_a_wrong_type_in_a_kubeconfig_is_told(tmp_path: Path, entries: dict[str, Any], told: str) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(entries))
    with pytest.raises(ConfigError, match=f"^{path}: {told}$"):
        access([str(path)])


def test_a_program_may_say_the_token(podpy: Podpy, by_token: APIServer) -> None:
    program = podpy.home / "plugin"
    program.write_text(PLUGIN)
    program.chmod(0o755)
    version = "client.authentication.k8s.io/v1"
    plugin = {
        "apiVersion": version, "command": "./plugin", "args": [TOKEN[:4]],
        "env": [{"name": "REST", "value": TOKEN[4:]}], "installHint": "Install it",
    }  # fmt: skip
    path = manifest(podpy, POD)
    podpy.ok("kube", "apply", "-f", path, "-k", kubeconfig(podpy, by_token, {"exec": plugin}))
    refusals = [
        ({"command": "nosuch-plugin"}, "user alice: nosuch-plugin: no such program"),
        ({"command": "false"}, "user alice: false ended with 1: it said nothing"),
        ({"command": "true"}, "user alice: true: its output isn't an ExecCredential"),
        ({"apiVersion": "client.authentication.k8s.io/v2"}, "a credential plugin of client.authentication.k8s.io/v2"),
        ({"args": [], "env": []}, "it prints neither a token nor a certificate with its key"),
    ]
    for changes, told in refusals:
        known = kubeconfig(podpy, by_token, {"exec": {**plugin, **changes}})
        podpy("kube", "apply", "-f", path, "-k", known).fails(125, told)
    known = kubeconfig(podpy, by_token, {"auth-provider": {"name": "gcp"}})
    podpy("kube", "apply", "-f", path, "-k", known).fails(125, "auth-provider, which Kubernetes 1.26 removed")


def test_the_clusters_own_words_are_the_error(podpy: Podpy, by_token: APIServer) -> None:
    known, path = kubeconfig(podpy, by_token, {"token": TOKEN}), manifest(podpy, POD)
    place = "/api/v1/namespaces/shop/pods/web"
    words = 'pods "web" is forbidden: exceeded quota'
    status = {"kind": "Status", "message": words.replace(": ", ":\n  "), "code": 403}
    by_token.answers[place] = (403, status)
    assert podpy("kube", "apply", "-f", path, "-k", known).fails(125).complaints == [f"Error: {words}"]
    by_token.answers[place] = (502, "<html>bad gateway\nx</html>")
    podpy("kube", "apply", "-f", path, "-k", known).fails(125, f"{by_token.url}: it answers 502, but not as Kubernetes")
    by_token.answers["/api/v1"] = (200, {"resources": [1, {"kind": "Pod"}, {"name": "pods"}]})
    podpy("kube", "apply", "-f", path, "-k", known).fails(125, 'no matches for kind "Pod" in version "v1"')
    by_token.answers["/api/v1"] = (200, "[" * 100_000)
    podpy("kube", "apply", "-f", path, "-k", known).fails(125, f"{by_token.url}: it answers 200, but not as Kubernetes")
    by_token.answers.clear()
    by_token.objects[place] = {"metadata": {"managedFields": [{"manager": "kubectl"}]}}
    podpy("kube", "apply", "-f", path, "-k", known).fails(
        125, 'Error: Apply failed with 1 conflict: conflict with "kubectl": .spec', "--force-conflicts"
    )
    other = manifest(podpy, {**POD, "kind": "Widget"})
    podpy("kube", "apply", "-f", other, "-k", known).fails(125, 'no matches for kind "Widget" in version "v1"')
    other = manifest(podpy, {**POD, "apiVersion": "example.com/v1"})
    podpy("kube", "apply", "-f", other, "-k", known).fails(125, f"{by_token.url}: it has no /apis/example.com/v1")
    stale = kubeconfig(podpy, by_token, {"token": "stale"})
    podpy("kube", "apply", "-f", path, "-k", stale).fails(125, ": Unauthorized", 'credentials of the user "alice"')


def test_what_makes_no_sense_is_refused_before_anything_is_sent(podpy: Podpy, by_token: APIServer) -> None:
    known, path = kubeconfig(podpy, by_token, {"token": TOKEN}), manifest(podpy, POD)

    def refused(told: str, *words: str, **options: Any) -> None:
        assert len(podpy("kube", "apply", *words, **options).fails(125, told).complaints) == 1

    refused("kubeconfig not given, unable to connect to cluster", "-f", path)
    refused("/nosuch: No such file or directory", "-f", path, "-k=/nosuch")
    refused("cannot set --service and --file at the same time", "-f", path, "-s", "-k", known)
    refused("yaml file provided is empty, cannot apply to a cluster", "-k", known)
    refused("yaml file provided is empty", "-k", known, "-f=-", input="---\n")
    refused("open /nosuch.yaml: no such file or directory", "-f=/nosuch.yaml", "-k", known)
    refused("standard input:2", "-f=-", "-k", known, input="a: 1\n\tb: 2\n")
    refused("a Pod has no metadata.name", "-f=-", "-k", known, input="kind: Pod\napiVersion: v1\nmetadata: {}\n")
    refused("has no kind or no apiVersion", "-f=-", "-k", known, input="{kind: Pod}")
    broken = podpy.home / "broken"
    for text, told in (
        ("[]", "isn't a kubeconfig"),
        ("a: [", "is not YAML"),
        ("current-context: x", 'no context named "x"'),
        ("clusters: []", "it names no cluster"),
        ("clusters: [{name: c, cluster: {server: x}}]", "the cluster has no server with https://"),
        ("clusters: [1]", "an entry of clusters has no cluster"),
    ):
        broken.write_text(text)
        refused(told, "-f", path, "-k", str(broken))
    assert by_token.requests == []
    assert podpy("kube", "apply", "-k=/nosuch", "-f", path).stdout == ""


def test_a_server_that_is_not_there_is_one_line(podpy: Podpy, by_token: APIServer) -> None:
    free = f"https://127.0.0.1:{ports.free()}"
    known = kubeconfig(podpy, by_token, {"token": TOKEN}, server=free)
    path = manifest(podpy, POD)
    podpy("kube", "apply", "-f", path, "-k", known).fails(125, f"Error: {free}: Connection refused")
    proxied = kubeconfig(podpy, by_token, {"token": TOKEN}, **{"proxy-url": free.replace("https", "http")})
    podpy("kube", "apply", "-f", path, "-k", proxied).fails(125, f"{by_token.url}: the proxy failed", "Check proxy-url")


def test_kubectl_takes_what_is_generated(podpy: Podpy, busybox: str, directory: Path) -> None:
    """kubectl decodes each object into its type: a wrong one of a field is an error."""
    needs.require("kubectl")
    podpy.ok(
        *"create --name=My_web --restart=always -p=80:80 -p=53:53/udp -v=data:/data -v=/tmp:/1".split(),
        *"--tmpfs=/t:size=1m --annotation=a.b/c=1 --annotation=n=yes --health-cmd=true --memory=1g --cpus=2".split(),
        *"--hostname=h --user=1 --add-host=x:10.0.0.1 --dns=10.0.0.2 --dns-option=rotate --env=Y=1e3".split(),
        *"--cap-drop=all --ulimit=core=1".split(),
        busybox,
    )  # fmt: skip
    with APIServer.start(directory, tls=False) as server:
        for kind in ("pod", "deployment", "daemonset"):
            text = podpy.ok("kube", "generate", "-s", "-t", kind, "My_web", "data")
            command = ["kubectl", "--server", server.url, "create", "--dry-run=client", "--validate=false", "-f", "-"]
            done = subprocess.run(
                [*command, "-o", "name"],
                input=text,
                capture_output=True,
                text=True,
                env={"PATH": PATH, "HOME": str(directory)},
            )
            assert done.returncode == 0, done.stderr
            names = {"pod": "pod/myweb-pod"}.get(kind, f"{kind}.apps/myweb-pod-{kind}")
            assert done.stdout.split() == ["persistentvolumeclaim/data", "service/myweb-pod", names]


def test_kubectl_takes_what_is_generated_of_a_pod_that_was_played(podpy: Podpy, busybox: str, directory: Path) -> None:
    needs.require("kubectl")
    podpy("kube", "play", "--start=false", "-", input=REFERRING.replace("IMAGE", busybox)).fails(0)
    with APIServer.start(directory, tls=False) as server:
        command = ["kubectl", "--server", server.url, "create", "--dry-run=client", "--validate=false", "-f", "-"]
        done = subprocess.run(
            [*command, "-o", "name"],
            input=podpy("kube", "generate", "shop").stdout,
            capture_output=True,
            text=True,
            env={"PATH": PATH, "HOME": str(directory)},
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["configmap/cm", "pod/shop"]
    podpy.ok("kube", "down", "-", input=REFERRING)
