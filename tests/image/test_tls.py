"""Certificates: a server's, ours, a proxy's; and what is said when one isn't good."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from podpy.errors import ConfigError, RegistryError
from podpy.http import tls_details
from podpy.image.registry.http import Body, Connection, drop
from tests.image.scripted_server import OK, Script, Server, head, serving
from tests.support.engine import Podpy
from tests.support.registry import make_certificate


def tls(directory: Path) -> Script:
    """Return a script that answers one request by HTTPS, with the certificate that is in a directory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")

    def script(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            head(secure)
            secure.sendall(OK)

    return script


def failure(server: Server, certificates: Path | None = None, *, retries: int = 0) -> RegistryError:
    """Return the error of a request by HTTPS, certificates checked."""
    host = server.url.removeprefix("http://").rstrip("/")
    directories = (str(certificates),) if certificates else ()
    connection = Connection(host, certificates=directories, retries=retries, retry_delay=0.001)
    with connection, pytest.raises(RegistryError) as raised:
        connection.open("GET", "/", {}, what="x")
    return raised.value


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    """A server's certificate (cert.pem, key.pem), its own authority, and a directory for us that trusts it."""
    certificate = make_certificate(tmp_path)
    (tmp_path / "ours").mkdir()
    shutil.copy(certificate, tmp_path / "ours/ca.crt")
    return tmp_path


def test_an_encrypted_key_cannot_be_used_and_nobody_is_asked_for_its_password(
    pki: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(pki / "cert.pem", pki / "ours/client.cert")
    key = pki / "ours/client.key"
    command = ["openssl", "ec", "-in", str(pki / "key.pem"), "-aes256", "-passout", "pass:abcd", "-out", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    with serving(tls(pki)) as server:
        error = failure(server, pki / "ours")
    assert error.message.startswith("x: unable to set private key file")
    assert capfd.readouterr() == ("", "")


def test_an_authority_that_is_none_is_said(pki: Path) -> None:
    (pki / "ours/ca.crt").write_text("-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n")
    with serving(tls(pki)) as server:
        error = failure(server, pki / "ours", retries=1)
        assert server.connections == 1
    assert error.message == "x: an authority's certificate can't be read"
    assert error.hint is not None
    assert "*.crt" in error.hint


@pytest.fixture
def system(pki: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system's authorities: the bundle `system.pem` and the directory `system`, both empty."""
    (pki / "system").mkdir()
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(pki / "system"))
    monkeypatch.setattr("podpy.http.trust._BUNDLES", (str(pki / "system.pem"),))
    return pki


def rehash(directory: Path) -> None:
    """Give certificates links with their hashes as names, as update-ca-certificates does."""
    subprocess.run(["openssl", "rehash", directory], check=True, capture_output=True)


def connections(directory: Path) -> int:
    """Return how many connections a request takes that succeeds."""
    with serving(*[tls(directory)] * 2) as server:
        with Connection(server.url.removeprefix("http://").rstrip("/")) as connection:
            drop(connection.open("GET", "/", {}, what="x"))
        return server.connections


def test_an_authority_is_looked_up_by_its_hash_and_the_bundle_is_not_read(system: Path) -> None:
    shutil.copy(system / "cert.pem", system / "system/ca.pem")
    rehash(system / "system")
    (system / "system.pem").write_text("-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n")
    assert connections(system) == 1


def test_an_authority_that_only_the_bundle_has_counts(system: Path) -> None:
    """Without hashes in the directory it is read at once, else where the directory hasn't it."""
    shutil.copy(system / "cert.pem", system / "system.pem")
    assert connections(system) == 1
    (system / "other").mkdir()
    shutil.copy(make_certificate(system / "other"), system / "system/other.pem")
    rehash(system / "system")
    assert connections(system) == 2
    (system / "system.pem").unlink()
    with serving(*[tls(system)] * 2) as server:
        assert "certificate isn't trusted" in failure(server).message


def test_a_body_is_sent_whole_where_only_the_bundle_has_the_authority(system: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(system / "cert.pem", system / "key.pem")
    came: list[bytes] = []

    def takes(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            head(secure)
            came.append(secure.makefile("rb").read(12))
            secure.sendall(OK)

    shutil.copy(system / "cert.pem", system / "system.pem")
    (system / "other").mkdir()
    shutil.copy(make_certificate(system / "other"), system / "system/other.pem")
    rehash(system / "system")
    body = Body(size=12, kind="text/plain", chunks=lambda: iter((b"all ", b"of ", b"it is")))
    with serving(takes, takes) as server:
        with Connection(server.url.removeprefix("http://").rstrip("/")) as connection:
            drop(connection.open_url("POST", connection.url("/"), {}, what="x", body=body))
        assert server.connections == 2
    assert came == [b"all of it is"]


def test_certs_d_and_the_systems_hashes_both_count(system: Path) -> None:
    (system / "other").mkdir()
    shutil.copy(make_certificate(system / "other", "other"), system / "system/other.pem")
    rehash(system / "system")
    for directory in (system, system / "other"):
        with serving(tls(directory)) as server:
            host = server.url.removeprefix("http://").rstrip("/")
            with Connection(host, certificates=(str(system / "ours"),)) as connection:
                drop(connection.open("GET", "/", {}, what="x"))
            assert server.connections == 1


def wants_certificate(directory: Path) -> Script:
    """Return a script that refuses whoever shows no certificate of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED

    def script(connection: socket.socket) -> None:
        """Refuse, and read on: a connection that is reset could take the reason away."""
        came, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(came, sent, server_side=True)
        while data := connection.recv(1 << 16):
            came.write(data)
            try:
                session.do_handshake()
            except ssl.SSLError:
                pass
            connection.sendall(sent.read())

    return script


def test_a_server_that_wants_a_certificate_is_not_asked_again(pki: Path) -> None:
    with serving(wants_certificate(pki)) as server:
        error = failure(server, pki / "ours", retries=1)
    assert "wants another certificate from us" in error.message
    assert error.hint is not None
    assert "client.cert" in error.hint


@pytest.mark.parametrize(
    ("script", "authorities", "hint"),
    [
        (tls, "nothing.pem", "Check SSL_CERT_FILE"),
        (tls, "", "Add its authority to the system's certificates"),
        (wants_certificate, "cert.pem", "Download it with a program that has a certificate to show"),
    ],
)
def test_import_knows_no_certs_d(
    podpy: Podpy, session_base: Path, script: Callable[[Path], Script], authorities: str, hint: str
) -> None:
    directory = session_base / f"pki-{os.urandom(4).hex()}"
    directory.mkdir(mode=0o755)
    make_certificate(directory)
    environment = {"SSL_CERT_FILE": str(directory / authorities)} if authorities else {}
    with serving(*[script(directory)] * 2) as server:
        address = server.url.replace("http:", "https:") + "x.tar"
        said = podpy("import", address, env=environment).fails(125, f"downloading {address}", hint)
    assert "certs.d" not in said.stderr


@pytest.mark.parametrize("is_reset", [True, False])
def test_a_handshake_that_is_cut_is_tried_again(pki: Path, is_reset: bool) -> None:
    def cut(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        if is_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with serving(cut, tls(pki)) as server:
        host = server.url.removeprefix("http://").rstrip("/")
        with Connection(host, certificates=(str(pki / "ours"),), retries=1, retry_delay=0.001) as connection:
            assert connection.open("GET", "/", {}, what="x").status == 200


def test_a_registrys_authority_does_not_count_where_it_redirects(pki: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "cert.pem", pki / "key.pem")
    with serving(tls(pki), tls(pki)) as other:
        host = other.url.removeprefix("http://").rstrip("/")
        answer = f"HTTP/1.1 307 There\r\nLocation: https://{host}/\r\nContent-Length: 0\r\n\r\n"

        def redirects(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secure:
                head(secure)
                secure.sendall(answer.encode())

        with serving(redirects) as server:
            error = failure(server, pki / "ours")
    assert f"leads to {host}, whose certificate isn't trusted: self-signed certificate" in error.message


def test_a_proxy_with_tls_is_checked_by_the_systems_authorities(pki: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tls(pki), tls(pki)) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url.replace("http:", "https:"))
        with Connection("registry.example", insecure=True, retries=0) as connection:
            with pytest.raises(RegistryError, match="the proxy failed: self-signed certificate"):
                connection.open_url("GET", "http://registry.example/", {}, what="x")
            monkeypatch.setenv("SSL_CERT_FILE", str(pki / "cert.pem"))
            assert connection.open_url("GET", "http://registry.example/", {}, what="x").status == 200


def spoken(pki: Path, details: str, *, server: Callable[[ssl.SSLContext], None]) -> tuple[str, str]:
    """Return version and cipher suite of a connection with this file of --tls-details; RegistryError if there is none.

    `server` changes what the server speaks.
    """
    (pki / "details.yaml").write_text(details)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "cert.pem", pki / "key.pem")
    server(context)
    found = []

    def script(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            found.append((secure.version() or "", (secure.cipher() or ("",))[0]))
            head(secure)
            secure.sendall(OK)

    with serving(script) as there:
        host = there.url.removeprefix("http://").rstrip("/")
        with Connection(host, certificates=(str(pki / "ours"),), retries=0) as connection:
            assert connection.open("GET", "/", {}, what="x").status == 200
    return found[0]


def test_which_tls_is_spoken_a_file_may_say(pki: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tls_details.VARIABLE, str(pki / "details.yaml"))

    def anything(_context: ssl.SSLContext) -> None:
        pass

    def old(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    assert spoken(pki, 'minVersion: "1.2"\n', server=old)[0] == "TLSv1.2"
    with pytest.raises(RegistryError, match="protocol version"):
        spoken(pki, "minVersion: 1.3\n", server=old)
    only_old = "cipherSuites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]\n"
    assert spoken(pki, only_old, server=anything) == ("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305")
    only_new = "cipherSuites:\n- TLS_CHACHA20_POLY1305_SHA256\nnamedGroups: [secp384r1, x25519]\n"
    assert spoken(pki, only_new, server=anything) == ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256")
    with pytest.raises(RegistryError):
        spoken(pki, only_new, server=old)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("minVersion: '2'", 'unrecognized TLS minimum version "2"'),
        ("cipherSuites: [TLS_NULL_WITH_NULL_NULL]", 'unrecognized TLS cipher suite "TLS_NULL_WITH_NULL_NULL"'),
        ("cipherSuites: []", "an empty cipherSuites allows no connection"),
        ("namedGroups: [x448]", 'unrecognized TLS named group "x448"'),
        ("namedGroups: x25519", "namedGroups must be a list of names"),
        ("maxVersion: '1.3'", "field maxVersion not found"),
        ("- 1", "it must have fields"),
        ("[", "parsing "),
    ],
)
def test_a_file_of_tls_details_that_says_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    (tmp_path / "details.yaml").write_text(text)
    monkeypatch.setenv(tls_details.VARIABLE, str(tmp_path / "details.yaml"))
    with pytest.raises(ConfigError, match=re.escape(told)):
        tls_details.wanted()


def test_the_file_of_tls_details_is_an_option(podpy: Podpy) -> None:
    result = podpy("--tls-details=nowhere.yaml", "pull", "-q", "--retry=0", "localhost:1/x")
    result.fails(125, f"Error: reading {podpy.home}/nowhere.yaml: No such file or directory\n")
