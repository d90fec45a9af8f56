"""`podpy import`: tars of root file systems from files, pipes and addresses; instructions for the configuration."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from podpy.errors import UsageError
from podpy.image.documents import changes
from tests.image.odd_registry import OddRegistry
from tests.support.engine import Podpy
from tests.support.images import Layer, sha256

zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
PACKERS = {"gzip": gzip.compress, "zstd": zstd.compress, "xz": lzma.compress, "bzip2": bz2.compress, "tar": bytes}


@pytest.fixture(scope="session")
def tar() -> bytes:
    """A root file system with one file."""
    return Layer().add("etc", mode=0o755).add("etc/motd", b"hello").tar()


def write(session_base: Path, data: bytes) -> Path:
    path = session_base / f"import-{os.urandom(4).hex()}.tar"
    path.write_bytes(data)
    path.chmod(0o644)
    return path


def test_a_file_becomes_an_image_with_podmans_configuration(podpy: Podpy, session_base: Path, tar: bytes) -> None:
    path = write(session_base, tar)
    os.utime(path, ns=(0, 1_700_000_000_120_000_000))
    done = podpy("import", "--message", "by hand", "-c", "CMD /bin/x", "-c", 'ENV A="b c"', str(path), "mine:1")
    image_id = done.ok()
    assert done.stderr.splitlines()[-1] == "Writing manifest to image destination"
    found = podpy.json("image", "inspect", "localhost/mine:1")[0]
    assert image_id == f"sha256:{found['Id']}"
    assert found["RootFS"]["Layers"] == [sha256(tar)]
    assert found["Created"] == "2023-11-14T22:13:20.12Z"
    assert found["Config"] == {"Env": ["A=b c"], "Cmd": ["/bin/sh", "-c", "/bin/x"]}
    (step,) = found["History"]
    assert step["comment"] == "by hand"
    assert step["created_by"] == f"/bin/sh -c #(nop) ADD file:{sha256(tar)[7:]} in /"


def test_the_image_is_the_one_that_podman_makes(podpy: Podpy, session_base: Path, tar: bytes) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: the suite runs as an ordinary user")
    if shutil.which("podman") is None:
        pytest.fail("podman isn't installed: apt install podman")
    path, place = write(session_base, tar), session_base / f"podman-{os.urandom(4).hex()}"
    own = ["podman", "--root", str(place), "--runroot", str(place / "run"), "--storage-driver", "vfs"]
    changes = ["-m", "é & <b>"]
    for change in ("CMD a && b", "LABEL z=1", "LABEL a=2", "ENV x=y", "VOLUME /v", "EXPOSE 80", "USER 7", "WORKDIR /w"):
        changes += ["-c", change]
    said = {}
    try:
        for options in ((), tuple(changes)):
            command = [*own, "import", "-q", *options, path]
            said[options] = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    finally:
        subprocess.run([*own, "rmi", "-af"], check=False, capture_output=True)
        shutil.rmtree(place, ignore_errors=True)
    for options, identity in said.items():
        assert podpy.ok("image", "import", "-q", *options, str(path)) == identity.strip()


def test_it_has_podmans_digest_and_says_what_is_here_already(podpy: Podpy, session_base: Path, tar: bytes) -> None:
    """The manifest that Podman's tarball transport writes has no mediaType."""
    path = write(session_base, tar)
    image = podpy.ok("import", "-q", str(path), "mine:1")
    podpy.ok("save", "-q", "--format", "oci-dir", "-o", "mine", "mine:1", "--uncompressed")
    entry = json.loads((podpy.home / "mine/index.json").read_text())["manifests"][0]
    manifest = json.loads((podpy.home / "mine/blobs" / entry["digest"].replace(":", "/")).read_text())
    assert [*manifest] == ["schemaVersion", "config", "layers"]
    assert manifest["config"]["digest"] == image
    again = podpy("import", str(path), "mine:1")
    assert again.ok() == image
    assert f"Copying blob {sha256(tar)} skipped: already exists" in again.stderr


@pytest.mark.parametrize("kind", PACKERS)
def test_from_standard_input_also_compressed(podpy: Podpy, tar: bytes, kind: str) -> None:
    done = podpy("import", "-q", "-", "x/y", input=PACKERS[kind](tar))
    assert done.stderr == ""
    found = podpy.json("image", "inspect", done.ok())[0]
    assert found["RepoTags"] == ["localhost/x/y:latest"]
    assert found["RootFS"]["Layers"] == [sha256(tar)]
    assert found["Comment"] == "imported from tarball"


def test_from_an_address(podpy: Podpy, odd: OddRegistry, tar: bytes) -> None:
    odd.blobs["root.tar.gz"] = gzip.compress(tar)
    address = f"http://{odd.address}/files/root.tar.gz"
    said = podpy.ok("import", "-q", address, "far").splitlines()
    assert said[0] == f'Downloading from "{address}"'
    assert podpy.json("image", "inspect", "far")[0]["Id"] == said[1].removeprefix("sha256:")
    podpy("import", address + "x").fails(125, "answered 404\nHint: Check the address")


def test_an_address_without_an_answer_gets_no_hint_about_registries(podpy: Podpy, odd: OddRegistry) -> None:
    with socket.socket() as nobody:  # bound, and not listening
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/x.tar"
        said = podpy("import", address).fails(125, f"downloading {address}", "Check the address, and that its server")
    assert "registr" not in said.stderr
    said = podpy("import", f"https://{odd.address}/x.tar").fails(125, "Write http:// in front of the address")
    assert "registr" not in said.stderr


def test_another_platform(podpy: Podpy, session_base: Path, tar: bytes) -> None:
    options = ("--os", "freebsd", "--arch", "arm64", "--variant", "v9")
    podpy.ok("import", "-q", *options, str(write(session_base, tar)), "other")
    found = podpy.json("image", "inspect", "other")[0]
    assert (found["Os"], found["Architecture"]) == ("freebsd", "arm64")


def test_what_cannot_be_imported(podpy: Podpy, session_base: Path, tar: bytes) -> None:
    path = str(write(session_base, tar))
    podpy("import", "/nonexistent").fails(
        125, 'error opening "/nonexistent": open /nonexistent: no such file or directory'
    )
    podpy("import", str(podpy.home)).fails(125, "it is a directory", "tar -C DIRECTORY -c .")
    podpy("import", path, "UPPER").fails(125, "lowercase")
    podpy("import", "-c", "FOO x", path).fails(125, 'invalid change "FOO x" - invalid instruction FOO')
    podpy("import", "-", input=b"").fails(125, "the archive is empty")
    podpy("import", "-", input=b"not a tar").fails(125, "the archive is no tar")
    podpy("import", "-q", "-", input=b"no tar" * 200).fails(125, "this isn't a tar")
    podpy("import", "-", input=gzip.compress(tar)[:50]).fails(125, "broken gzip data")
    assert podpy.ok("images", "-q") == ""
    assert not any((podpy.graphroot / "tmp").glob("[0-9]*"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (['CMD ["a", "b"]'], {"Cmd": ["a", "b"]}),
        (["cmd a b"], {"Cmd": ["/bin/sh", "-c", "a b"]}),
        (["CMD "], {"Cmd": ["/bin/sh", "-c"]}),
        (["CMD=x", "CMD=y"], {"Cmd": ["/bin/sh", "-c", "y"]}),
        (["ENTRYPOINT "], {"Entrypoint": []}),
        (['ENTRYPOINT ["/x"]'], {"Entrypoint": ["/x"]}),
        (["ENV A", "ENV B=1=2", 'ENV "C"="d e"'], {"Env": ["A=", "B=1=2", "C=d e"]}),
        (["EXPOSE 80", "EXPOSE 53/UDP"], {"ExposedPorts": {"80/tcp": {}, "53/udp": {}}}),
        (["LABEL a=", "LABEL=b=c"], {"Labels": {"a": "", "b": "c"}}),
        (["ONBUILD RUN x", "ONBUILD CMD y"], {"OnBuild": ["RUN x", "CMD y"]}),
        (["STOPSIGNAL SIGTERM"], {"StopSignal": "15"}),
        (["USER 7:8"], {"User": "7:8"}),
        (["VOLUME /a /b", 'VOLUME ["/c d"]'], {"Volumes": {"/a": {}, "/b": {}, "/c d": {}}}),
        (["WORKDIR /a", "WORKDIR b", "WORKDIR /c/.."], {"WorkingDir": "/a/b"}),
    ],
)
def test_instructions(given: list[str], expected: dict[str, Any]) -> None:
    assert changes.parse(given) == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("CMD", "must be formatted as KEY VALUE"),
        ("HEALTHCHECK CMD x", "invalid instruction HEALTHCHECK"),
        ("EXPOSE x", "EXPOSE port must be an integer"),
        ("EXPOSE 65536", "EXPOSE port must be a valid port number"),
        ("EXPOSE 99999999999999999999", "EXPOSE port must be a valid port number"),
        ("EXPOSE 80/sctp", "EXPOSE protocol must be TCP or UDP"),
        ("EXPOSE 1/2/3", "EXPOSE port must be formatted as PORT[/PROTO]"),
        ("ENV =x", "ENV must have at least one argument"),
        ("LABEL a", "LABEL must be formatted key=value"),
        ('LABEL ""=b', "LABEL must have a non-empty key"),
        ("USER ", "must provide a value to USER"),
        ("WORKDIR ", "must provide a non-empty WORKDIR"),
        ("STOPSIGNAL FOO", "KILLSIGNAL must be given a valid signal: invalid signal: FOO"),
        ("STOPSIGNAL ", "KILLSIGNAL must be given a valid signal"),
        ("ONBUILD ", "ONBUILD must be given an argument"),
        ("VOLUME []", "must provide at least one argument to VOLUME"),
        ("VOLUME /a  /b", "VOLUME paths must not be empty"),
    ],
)
def test_instructions_that_make_no_sense(change: str, reason: str) -> None:
    quoted = change.replace('"', '\\"')
    with pytest.raises(UsageError) as caught:
        changes.parse([change])
    assert caught.value.message == f'invalid change "{quoted}" - {reason}'
