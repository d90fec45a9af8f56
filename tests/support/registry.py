"""Debian's docker-registry as a child process, and a small pure Python client to fill it."""

from __future__ import annotations

import base64
import re
import shutil
import ssl
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path

from tests.support import wait
from tests.support.images import MANIFEST_TYPE, Image, sha256

USER = "alice"
PASSWORD = "wonderland"
# bcrypt (cost 4: it's a test) of PASSWORD; docker-registry takes no other kind of hash.
HTPASSWD = "alice:$2b$04$vXOcBPMgBsuidfGeahsNJen7/rD07jtSmDtZ.kUW0wexrgbOTSfYi\n"
PROGRAM = "docker-registry"
_LISTENING = re.compile(r"listening on (?:127\.0\.0\.1|\[::\]):(\d+)")


class Registry:
    """A running registry: `address` is host:port, `url` has the scheme, `ca` the certificate to trust (TLS only).

    Its files lie in `data`.
    """

    def __init__(self, port: int, data: Path, *, ca: Path | None, auth: bool) -> None:
        self.port = port
        self.data = data
        self.address = f"127.0.0.1:{port}"
        self.url = f"{'https' if ca else 'http'}://{self.address}"
        self.ca = ca
        self.user = USER if auth else ""
        self.password = PASSWORD if auth else ""

    @classmethod
    @contextmanager
    def start(cls, base: Path, *, tls: bool = False, auth: bool = False) -> Iterator[Registry]:
        """Start a registry whose files lie in a new directory under `base`; end it and delete them afterwards."""
        directory = Path(tempfile.mkdtemp(prefix="registry-", dir=base))
        directory.chmod(0o755)
        ca = make_certificate(directory) if tls else None
        config = directory / "config.yml"
        config.write_text(_configuration(directory, tls=tls, auth=auth))
        log = directory / "log"
        with log.open("wb") as output:  # a pipe would fill up and stop it
            command = [PROGRAM, "serve", str(config)]
            process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            yield cls(_read_port(log, process), directory / "data", ca=ca, auth=auth)
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(directory, ignore_errors=True)

    def push(self, repository: str, tag: str, image: Image) -> str:
        """Put an image into the registry and return its manifest's digest. Raises urllib.error.HTTPError."""
        manifest, blobs = image.blobs()
        digest = sha256(manifest)
        for name, data in blobs.items():
            if name != digest:
                self.push_blob(repository, data)
        self.push_manifest(repository, tag, manifest, MANIFEST_TYPE)
        return digest

    def push_blob(self, repository: str, data: bytes) -> str:
        """Upload one blob and return its digest."""
        answer = self.request("POST", f"/v2/{repository}/blobs/uploads/")
        place = answer.headers["Location"]
        digest = sha256(data)
        separator = "&" if "?" in place else "?"
        kind = {"Content-Type": "application/octet-stream"}
        self.request("PUT", f"{place}{separator}digest={digest}", data, kind)
        return digest

    def push_manifest(self, repository: str, reference: str, manifest: bytes, kind: str) -> None:
        """Upload a manifest or an index under a tag or a digest."""
        self.request("PUT", f"/v2/{repository}/manifests/{reference}", manifest, {"Content-Type": kind})

    def request(
        self, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> HTTPResponse:
        """Send one request (`path` may be a whole URL) and return the answer."""
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
        if self.user:
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca) if self.ca else None),
        )
        answer: HTTPResponse = opener.open(request, timeout=60)
        return answer


def _configuration(directory: Path, *, tls: bool, auth: bool) -> str:
    lines = [
        "version: 0.1",
        "log: {level: info}",
        "storage:",
        f"  filesystem: {{rootdirectory: {directory}/data}}",
        "  delete: {enabled: true}",
        "http:",
        "  addr: 127.0.0.1:0",
    ]
    if tls:
        lines.append(f"  tls: {{certificate: {directory}/cert.pem, key: {directory}/key.pem}}")
    if auth:
        (directory / "htpasswd").write_text(HTPASSWD)
        lines.append(f"auth: {{htpasswd: {{realm: tests, path: {directory}/htpasswd}}}}")
    return "\n".join(lines) + "\n"


def make_certificate(directory: Path, subject: str = "127.0.0.1") -> Path:
    """Make a key and a certificate for 127.0.0.1 (key.pem, cert.pem); return the certificate, its own authority."""
    certificate = directory / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={subject}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command += ["-keyout", str(directory / "key.pem"), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    certificate.chmod(0o644)
    return certificate


def _read_port(log: Path, process: subprocess.Popen[bytes]) -> int:
    """Return the port that the kernel chose, from the log."""

    def port() -> int:
        found = _LISTENING.search(log.read_text())
        assert found or process.poll() is None, f"{PROGRAM} didn't start:\n{log.read_text()}"
        return int(found.group(1)) if found else 0

    return wait.until(port, what=f"{PROGRAM} listens")
