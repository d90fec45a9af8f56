"""`podpy system connection`: podman-connections.json, which Podman's clients read, too; `image scp` by these names."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from tests.support.engine import Podpy

LS = ("system", "connection", "ls", "--format", "{{.Name}} {{.URI}} {{.Identity}} {{.Default}} {{.ReadWrite}}")
SSH = """#!/bin/sh
printf '%s\\n' "$@" >> "{home}/called"
case "$*" in *silent*) exit 0;; *nowhere*) echo "ssh: no route" >&2; exit 255;; *info*) echo /run/there.sock;; esac
[ -e "{home}/deaf" ] || cat > /dev/null
"""


@pytest.fixture
def file(podpy: Podpy) -> Path:
    """Where the connections are."""
    return podpy.home / ".config/containers/podman-connections.json"


@pytest.fixture
def ssh(podpy: Podpy) -> dict[str, str]:
    """An environment with an ssh that writes down how it is called."""
    directory = podpy.home / "bin"
    directory.mkdir()
    program = directory / "ssh"
    program.write_text(SSH.replace("{home}", str(podpy.home)))
    program.chmod(0o755)
    return {"PATH": f"{directory}:/usr/bin:/bin"}


def add(podpy: Podpy, *words: str) -> None:
    assert podpy.ok("system", "connection", "add", *words) == ""


def test_the_first_one_is_the_default_until_another_is(podpy: Podpy, file: Path) -> None:
    add(podpy, "--identity", "~/.ssh/id", "QA", "ssh://root@podman.test:2222/run/podman/podman.sock")
    add(podpy, "tcp", "tcp://localhost:8888")
    assert podpy.ok(*LS).splitlines() == [
        "QA ssh://root@podman.test:2222/run/podman/podman.sock ~/.ssh/id true true",
        "tcp tcp://localhost:8888  false true",
    ]
    podpy.ok("system", "connection", "default", "tcp")
    podpy.ok("system", "connection", "rename", "tcp", "plain")
    assert [line.split()[0] for line in podpy.ok(*LS).splitlines() if " true true" in line] == ["plain"]
    podpy.ok("system", "connection", "rm", "plain")
    podpy.ok("system", "connection", "rm", "plain")  # as in Podman
    assert podpy.ok("system", "connection", "ls", "-q") == "QA"
    assert "Default" not in json.loads(file.read_text())["Connection"]
    podpy.ok("system", "connection", "remove", "--all")
    assert podpy.json("system", "connection", "ls", "--format=json") == []


def test_the_list_has_podmans_shapes(podpy: Podpy) -> None:
    add(podpy, "--tls-ca=ca", "--tls-cert=c", "--tls-key=k", "t", "tcp://h:1")
    assert podpy.json("system", "connection", "ls", "--format=json") == [
        {
            "Name": "t",
            "URI": "tcp://h:1",
            "TLSCert": "c",
            "TLSKey": "k",
            "TLSCA": "ca",
            "Default": True,
            "ReadWrite": True,
        }
    ]
    table = podpy.ok("system", "connection", "list").splitlines()
    assert [line.split() for line in table] == [
        ["Name", "URI", "Identity", "Default", "ReadWrite"],
        ["t", "tcp://h:1", "true", "true"],
    ]
    assert podpy.ok("system", "connection", "ls", "--format=tls").splitlines()[1].split()[2:5] == ["ca", "c", "k"]


def test_containers_conf_has_connections_that_only_its_author_changes(podpy: Podpy) -> None:
    conf = podpy.home / "containers.conf"
    conf.write_text('[engine]\nactive_service = "conf"\n[engine.service_destinations.conf]\nuri = "ssh://a@b/c"\n')
    env = {"CONTAINERS_CONF": str(conf)}
    assert podpy.ok(*LS, env=env) == "conf ssh://a@b/c  true false"
    podpy("system", "connection", "default", "conf", env=env).fails(125, '"conf" destination is not defined')
    add(podpy, "conf", "ssh://root@other/socket")
    assert podpy.ok(*LS, env=env) == "conf ssh://root@other:22/socket  true true"
    podpy.ok("system", "connection", "rm", "conf")
    assert podpy.ok(*LS, env=env) == "conf ssh://a@b/c  true false"


def test_what_podpy_does_not_know_in_the_file_stays(podpy: Podpy) -> None:
    file = podpy.home / "connections.json"
    farms = {"Default": "f", "List": {"f": ["one", "two"]}}
    known = {"one": {"URI": "ssh://a@b:22/c", "IsMachine": True}, "two": {"URI": "unix:///x"}}
    file.write_text(json.dumps({"Connection": {"Default": "one", "Connections": known}, "Farm": farms}))
    os.chown(file, podpy.user.uid, podpy.user.gid)
    env = {"PODMAN_CONNECTIONS_CONF": str(file)}
    podpy.ok("system", "connection", "rename", "one", "eins", env=env)
    podpy.ok("system", "connection", "rm", "two", env=env)
    assert json.loads(file.read_text()) == {
        "Connection": {"Default": "eins", "Connections": {"eins": known["one"]}},
        "Farm": {"Default": "f", "List": {"f": ["eins"]}},
    }


def test_a_socket_that_nobody_names_is_asked_for(podpy: Podpy, ssh: dict[str, str]) -> None:
    podpy.ok("system", "connection", "add", "--port=2200", "--identity=/k", "s", "me@host", env=ssh)
    assert podpy.ok(*LS) == "s ssh://me@host:2200/run/there.sock /k true true"
    called = (podpy.home / "called").read_text().splitlines()
    assert called[:4] == ["-i", "/k", "--", "ssh://me@host:2200"]
    podpy("system", "connection", "add", "t", "silent", env=ssh).fails(125, "failed to report its UDS socket")
    podpy("system", "connection", "add", "t", "nowhere", env=ssh).fails(125, "ssh://nowhere:22: ssh: no route")
    assert podpy.ok("system", "connection", "ls", "-q") == "s"


def test_image_scp_takes_the_names(podpy: Podpy, ssh: dict[str, str], busybox: str) -> None:
    add(podpy, "--identity=/k", "--socket-path=/x", "server", "me@host:2200")
    add(podpy, "here", "tcp://h:1")
    podpy("image", "scp", "-q", busybox, "server::", env=ssh).ok()
    assert (podpy.home / "called").read_text().splitlines()[:4] == ["-i", "/k", "--", "ssh://me@host:2200"]
    (podpy.home / "deaf").touch()
    podpy("image", "scp", "-q", busybox, "server::", env=ssh).fails(125, "ended before it had read the image")
    podpy("image", "scp", "-q", busybox, "here::", env=ssh).fails(125, 'connection "here" (tcp://h:1) is not by ssh')


def test_mistakes_are_told_and_change_nothing(podpy: Podpy, file: Path) -> None:
    (podpy.home / "plain").write_text("")
    cases = (
        ("--tls-ca=x", "n", "ssh://h/s", "--tls-ca option not supported for ssh scheme"),
        ("--identity=x", "n", "unix:///s", "--identity option not supported for unix scheme"),
        ("--identity=x", "n", "tcp://h:1", "--identity option not supported for tcp scheme"),
        ("--socket-path=/x", "n", "tcp://h:1", "--socket-path option not supported for tcp scheme"),
        ("--tls-key=x", "n", "tcp://h:1", "--tls-cert and --tls-key options must be both provided"),
        ("n", "tcp://h", "tcp scheme requires a port"),
        ("n", "ssh://h:99999/s", "Port out of range"),
        ("n", "ssh:///s", "no host stands in it"),
        ("n", "unix://relative", "absolute path"),
        ("n", f"unix://{podpy.home}/plain", "exists and is not a unix domain socket"),
        ("", "tcp://h:1", "needs a name"),
    )
    for *words, text in cases:
        podpy("system", "connection", "add", *words).fails(125, text)
    assert not file.exists()
    for words in (("default", "n"), ("rename", "n", "m")):
        podpy("system", "connection", *words).fails(125, '"n" destination is not defined. See "podpy system connection')
    add(podpy, "one", "tcp://h:1")
    add(podpy, "two", "tcp://h:1")
    podpy("system", "connection", "rename", "one", "two").fails(125, 'connection "two" already exists')
    podpy("system", "connection", "rm").fails(125, "requires one argument, or the --all flag")
    file.write_text("{")
    podpy("system", "connection", "ls").fails(125, f"parse {file}: ")


def test_a_socket_that_is_not_there_yet_is_a_warning(podpy: Podpy) -> None:
    done = podpy("system", "connection", "add", "n", f"unix://{podpy.home}/s")
    assert done.returncode == 0
    assert f'\\"{podpy.home}/s\\" does not exist' in done.stderr
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{podpy.home}/s")
        done = podpy("system", "connection", "add", "n", f"unix://{podpy.home}/s")
        assert done.stderr == ""
