"""A port that may be any one, which somebody else took between the look and the use: another one is tried.

The helper is a program of ours that says of the first port what pasta and slirp4netns say of a taken one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from podpy.errors import InUseError, NetworkSetupError
from podpy.network import mode
from podpy.network.mode import Mode
from podpy.network.private.pasta import StartPasta, WaitForPasta
from podpy.network.private.slirp import StartSlirp, WaitForSlirp
from podpy.spec.container import PortMapping
from tests.support import ports

ANY = PortMapping(container_port=80, host_port=0)
PASTA = """#!/bin/sh
echo "$*" >> "$0.calls"
test $(wc -l < "$0.calls") -gt {refusals} && exit 0
echo "Failed to bind port 8080 (Address already in use) for option '-t 8080:80'" >&2
exit 1
"""
SLIRP = """#!{python}
import json, os, socket, sys
options = dict(word[2:].partition("=")[::2] for word in sys.argv[1:])
with socket.socket(socket.AF_UNIX) as server:
    server.bind(options["api-socket"])
    server.listen()
    os.write(int(options["ready-fd"]), b"1")
    for turn in range({refusals} + 1):
        client = server.accept()[0]
        while client.recv(4096):
            pass
        refused = {{"error": {{"desc": "bad request: add_hostfwd: slirp_add_hostfwd failed"}}}}
        client.sendall(json.dumps(refused if turn < {refusals} else {{"return": {{"id": 1}}}}).encode())
        client.close()
"""


def program(directory: Path, text: str, refusals: int) -> str:
    path = directory / "helper"
    path.write_text(text.format(python=sys.executable, refusals=refusals))
    path.chmod(0o755)
    return str(path)


def with_pasta(directory: Path, port: PortMapping, refusals: int) -> StartPasta:
    kind = Mode(kind=mode.PASTA, program=program(directory, PASTA, refusals))
    start = StartPasta(kind, str(directory), [port], rootful=False)
    start.execute()
    WaitForPasta(start).execute()
    return start


def with_slirp(directory: Path, port: PortMapping, refusals: int) -> StartSlirp:
    kind = Mode(kind=mode.SLIRP4NETNS, program=program(directory, SLIRP, refusals))
    place = directory / "containers/c"  # the control socket is beside `containers`
    place.mkdir(parents=True)
    start = StartSlirp(kind, str(place), [port])
    start.execute()
    try:
        WaitForSlirp(start).execute()
    finally:
        start.abandon()
    return start


def test_pasta_gets_another_port(tmp_path: Path) -> None:
    start = with_pasta(tmp_path, ANY, refusals=1)
    assert start.bound[0].host_port > 0
    first, second = (tmp_path / "helper.calls").read_text().splitlines()
    assert f"-t {start.bound[0].host_port}:80" in second
    assert first != second


def test_slirp4netns_gets_another_port(tmp_path: Path) -> None:
    assert with_slirp(tmp_path, ANY, refusals=1).bound[0].host_port > 0


def test_tries_have_an_end(tmp_path: Path) -> None:
    with pytest.raises(NetworkSetupError, match="bind port"):
        with_pasta(tmp_path, ANY, refusals=9)
    with pytest.raises(InUseError, match="slirp4netns can't publish"):
        with_slirp(tmp_path, ANY, refusals=9)


def test_a_port_that_was_asked_for_is_tried_once(tmp_path: Path) -> None:
    fixed = ANY.replace(host_port=ports.free())
    with pytest.raises(NetworkSetupError, match="bind port"):
        with_pasta(tmp_path, fixed, refusals=1)
    with pytest.raises(InUseError, match="slirp4netns can't publish"):
        with_slirp(tmp_path, fixed, refusals=1)
