"""A small stand-in for a cluster's API server: what `kube apply` and kubectl ask, as Kubernetes 1.32 answers it.

No package registry has a real one. What it answers is written down from Kubernetes' documentation (API Concepts,
Server-Side Apply): discovery, applied objects with managedFields, and a Status with the reason where it refuses.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

TOKEN = "secret-token"
_RESOURCES = {
    "v1": {
        "Pod": "pods", "Service": "services", "ConfigMap": "configmaps", "Secret": "secrets",
        "PersistentVolumeClaim": "persistentvolumeclaims", "Namespace": "namespaces",
    },
    "apps/v1": {"Deployment": "deployments", "DaemonSet": "daemonsets"},
    "batch/v1": {"Job": "jobs"},
}  # fmt: skip


class APIServer:
    """A running server. `objects` are those that were applied, by their paths; `requests` the lines of all requests.

    `client`: the name in the certificate of the last request's client; `answers`: a path's own answer instead.
    """

    def __init__(self, directory: Path, *, tls: bool, token: str) -> None:
        self.directory = directory
        self.token = token
        self.objects: dict[str, Any] = {}
        self.requests: list[str] = []
        self.headers: dict[str, str] = {}
        self.client = ""
        self.answers: dict[str, tuple[int, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(directory / "server.crt", directory / "server.key")
            context.load_verify_locations(directory / "ca.crt")
            context.verify_mode = ssl.CERT_OPTIONAL
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )

    def file(self, name: str) -> str:
        """Return the path of a certificate or a key: ca.crt, client.crt, client.key."""
        return str(self.directory / name)

    @classmethod
    @contextmanager
    def start(cls, directory: Path, *, tls: bool = True, token: str = "") -> Iterator[APIServer]:
        """Start a server; with a `token` it asks for that one, else with TLS for a client's certificate."""
        if tls:
            make_authority(directory)
        server = cls(directory, tls=tls, token=token)
        thread = threading.Thread(target=server._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server._server.shutdown()
            thread.join()
            server._server.server_close()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """Return the status and the object that answer a request."""
        place, _, query = path.partition("?")
        self.requests.append(f"{method} {path}")
        self.headers = headers
        if place in self.answers:
            return self.answers[place]
        if self.token and headers.get("Authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized", "Unauthorized")
        if self.url.startswith("https") and not self.token and not self.client:
            return _status(401, "Unauthorized", "Unauthorized")
        if method == "GET":
            return self._discovery(place)
        if method == "PATCH" and headers.get("Content-Type") == "application/apply-patch+yaml":
            return self._apply(place, parse_qs(query), yaml.safe_load(body))
        return _status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def _discovery(self, place: str) -> tuple[int, Any]:
        version = place.removeprefix("/apis/").removeprefix("/api/")
        if place == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if place == "/apis":
            groups = [_group(name) for name in _RESOURCES if "/" in name]
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        if version in _RESOURCES:
            verbs = ["create", "get", "patch"]
            found = [
                {
                    "name": name,
                    "singularName": kind.lower(),
                    "namespaced": kind != "Namespace",
                    "kind": kind,
                    "verbs": verbs,
                }
                for kind, name in _RESOURCES[version].items()
            ]
            found += [
                {"name": f"{one['name']}/status", "namespaced": True, "kind": one["kind"], "verbs": []} for one in found
            ]
            return 200, {"kind": "APIResourceList", "groupVersion": version, "resources": found}
        return 404, "404 page not found\n"

    def _apply(self, place: str, query: dict[str, list[str]], document: Any) -> tuple[int, Any]:
        manager = query.get("fieldManager", [""])[0]
        if not manager:
            return _status(422, "Invalid", 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value')
        if "managedFields" in document["metadata"] or "status" in document:
            return _status(400, "BadRequest", "metadata.managedFields must be nil")
        owner = self.objects.get(place, {}).get("metadata", {}).get("managedFields", [{}])[0].get("manager", manager)
        if owner != manager:
            told = f'Apply failed with 1 conflict: conflict with "{owner}": .spec'
            return _status(409, "Conflict", told)
        is_new = place not in self.objects
        fields = [{"manager": manager, "operation": "Apply"}]
        self.objects[place] = {**document, "metadata": {**document["metadata"], "managedFields": fields, "uid": "1"}}
        return (201 if is_new else 200), self.objects[place]


def _status(code: int, reason: str, message: str) -> tuple[int, Any]:
    return code, {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    }  # fmt: skip


def _group(version: str) -> dict[str, Any]:
    known = {"groupVersion": version, "version": version.partition("/")[2]}
    return {"name": version.partition("/")[0], "versions": [known], "preferredVersion": known}


def _handler(server: APIServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if isinstance(self.connection, ssl.SSLSocket):
                found: Any = self.connection.getpeercert() or {}
                names = [value for pairs in found.get("subject", ()) for key, value in pairs if key == "commonName"]
                server.client = "".join(names)
            parts = urlsplit(self.path)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            code, answer = server.answer(self.command, path, dict(self.headers), self.rfile.read(length))
            data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PATCH = do_POST = _serve

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def make_authority(directory: Path) -> None:
    """Make an authority and certificates by it: for the server on 127.0.0.1, for api.example, and for a client."""
    _openssl(directory, "req -x509 -days 2 -subj /CN=authority -keyout ca.key -out ca.crt")
    for name, subject, more in (
        ("server", "/CN=server", "subjectAltName=IP:127.0.0.1,DNS:api.example"),
        ("client", "/O=system:masters/CN=alice", "extendedKeyUsage=clientAuth"),
    ):
        _openssl(
            directory,
            f"req -x509 -days 2 -subj {subject} -addext {more} -CA ca.crt -CAkey ca.key"
            f" -keyout {name}.key -out {name}.crt",
        )
    for path in directory.iterdir():
        path.chmod(0o644)


def _openssl(directory: Path, words: str) -> None:
    usual = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(["openssl", *words.split(), *usual], check=True, capture_output=True, cwd=directory)
