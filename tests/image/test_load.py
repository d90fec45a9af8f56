"""`podpy load`: every kind of archive, made by other tools too; hostile ones."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import Podpy
from tests.support.images import BUSYBOX, Image, Layer, compact, sha256, write_tar

zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
NAME = "localhost/small:v1"
LOADED = f"Loaded image: {NAME}"


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory, session_base: Path) -> Path:
    """A directory that every user can read."""
    path = session_base / f"load-{os.urandom(4).hex()}"
    path.mkdir(mode=0o755)
    return path


def archive_entries(image: Image, *names: str) -> dict[str, bytes]:
    """Return the files of a docker-archive."""
    config = image.config()
    layers = {f"{sha256(layer)[7:]}/layer.tar": layer for layer in image.layers}
    entry = {"Config": "config.json", "RepoTags": list(names), "Layers": list(layers)}
    return {**layers, "config.json": config, "manifest.json": compact([entry])}


def test_a_docker_archive(podpy: Podpy, small: Image, place: Path) -> None:
    path = small.write_docker_archive(place / "a.tar", NAME)
    assert podpy.ok("load", "-i", str(path)) == LOADED
    assert podpy.json("image", "inspect", "small:v1")[0]["Id"] == sha256(small.config())[7:]
    assert podpy.ok("load", "-q", "-i", str(path)) == LOADED


def test_an_error_names_the_archive(podpy: Podpy, small: Image, place: Path) -> None:
    path = small.write_docker_archive(place / "cut.tar", NAME)
    path.write_bytes(path.read_bytes()[:2000])
    podpy("load", "-i", str(path)).fails(125, f"Error: {path}: the archive ends in the middle of a file")
    podpy("pull", f"docker-archive:{path}").fails(125, f"Error: {path}: the archive ends in the middle of a file")
    podpy("load", input=path.read_bytes()).fails(125, "Error: the archive ends in the middle of a file")


def test_halves_of_surrogate_pairs_spoil_no_list(podpy: Podpy, place: Path) -> None:
    settings = {"Labels": {"half": "\ud800", "whole": "\U0001f600"}, "Cmd": ["\udfff"], "Env": ["A=\ud801"]}
    path = Image([Layer().add("a", b"1").tar()], settings).write_docker_archive(place / "half.tar", NAME)
    podpy.ok("load", "-q", "-i", str(path))
    assert podpy.json("images", "--format", "json")[0]["Labels"] == {"half": "\ufffd", "whole": "\U0001f600"}
    assert podpy.json("image", "inspect", NAME)[0]["Config"]["Cmd"] == ["\ufffd"]
    podpy.ok("create", "--name", "half", NAME)
    assert podpy.json("ps", "-a", "--format", "json")[0]["Command"] == ["\ufffd"]
    assert "\ufffd" in podpy.ok("ps", "-a")
    podpy.ok("rm", "half")


def test_an_archive_of_both_kinds_is_what_it_is_called(podpy: Podpy, small: Image, place: Path) -> None:
    path = place / "both.tar"  # docker save writes them since version 25
    write_tar(path, {**small.oci_layout(NAME), **archive_entries(small, NAME)})
    assert podpy.ok("load", "-i", str(path)) == LOADED
    for kind in ("docker-archive", "oci-archive"):
        assert podpy.ok("pull", "-q", f"{kind}:{path}") == sha256(small.config())[7:]


def test_events_for_programs(podpy: Podpy, small: Image, place: Path) -> None:
    path = small.write_docker_archive(place / "a.tar", NAME)
    events = [json.loads(line) for line in podpy.ok("load", "--progress", "json", "-i", str(path)).splitlines()]
    assert [event["event"] for event in events[-3:]] == ["config", "committing", "image"]
    assert events[-1] == {"event": "image", "name": NAME, "id": sha256(small.config())[7:]}


def test_an_oci_archive(podpy: Podpy, small: Image, place: Path) -> None:
    path = small.write_oci_archive(place / "a.tar", NAME)
    assert podpy.ok("load", "-i", str(path)) == LOADED
    assert podpy.json("image", "inspect", "small:v1")[0]["Digest"] == sha256(small.blobs()[0])


def test_an_oci_directory(podpy: Podpy, small: Image, place: Path) -> None:
    path = small.write_oci_directory(place / "dir", NAME)
    assert podpy.ok("load", "-i", str(path)) == LOADED


def test_a_short_name_in_an_archive_is_local(podpy: Podpy, small: Image, place: Path) -> None:
    oci = small.write_oci_archive(place / "o.tar", "thing:1")
    docker = small.write_docker_archive(place / "d.tar", "thing:1")
    assert podpy.ok("load", "-i", str(oci)) == "Loaded image: localhost/thing:1"
    assert podpy.ok("load", "-i", str(docker)) == "Loaded image: localhost/thing:1"


PACKERS = {"gzip": gzip.compress, "zstd": zstd.compress, "xz": lzma.compress, "bzip2": bz2.compress, "plain": bytes}


@pytest.mark.parametrize("kind", PACKERS)
def test_from_standard_input_also_compressed(podpy: Podpy, small: Image, place: Path, kind: str) -> None:
    path = small.write_docker_archive(place / "a.tar", NAME)
    assert podpy.ok("load", input=PACKERS[kind](path.read_bytes())) == LOADED


def test_from_a_file_on_standard_input(podpy: Podpy, small: Image, place: Path) -> None:
    path = small.write_docker_archive(place / "a.tar", NAME)
    with path.open("rb") as file:
        process = podpy.popen("load", stdin=file, stdout=subprocess.PIPE)
        assert process.communicate(timeout=60)[0].decode().strip() == LOADED


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_layers_compressed_inside_a_docker_archive(podpy: Podpy, small: Image, place: Path, pack: Any) -> None:
    files = archive_entries(small, NAME)
    files = {name: pack(data) if name.endswith("layer.tar") else data for name, data in files.items()}
    write_tar(place / "a.tar", files)
    assert podpy.ok("load", "-i", str(place / "a.tar")) == LOADED


def test_several_images_with_several_names_and_none(podpy: Podpy, small: Image, bulky: Image, place: Path) -> None:
    first, second = archive_entries(small, "a.io/x:1", "a.io/y:2"), archive_entries(bulky)
    second["second.json"] = second.pop("config.json")
    entries = json.loads(first["manifest.json"]) + json.loads(second["manifest.json"])
    entries[1]["Config"] = "second.json"
    write_tar(place / "a.tar", {**second, **first, "manifest.json": compact(entries), "repositories": b"{}"})
    assert podpy.ok("load", "-i", str(place / "a.tar")).splitlines() == [
        "Loaded image: a.io/x:1",
        "Loaded image: a.io/y:2",
        f"Loaded image: {sha256(bulky.config())}",
    ]
    assert podpy.ok("images", "-q", "-f", "dangling=true", "--no-trunc") == sha256(bulky.config())


def test_layers_that_are_links_to_each_other(podpy: Podpy, place: Path) -> None:
    layer = Layer().add("file", b"1").tar()
    image = Image([layer, layer])
    entry = {"Config": "c.json", "RepoTags": [NAME], "Layers": ["one/layer.tar", "two/layer.tar"]}
    with tarfile.open(place / "a.tar", "w") as tar:
        for name, data in {"one/layer.tar": layer, "c.json": image.config(), "manifest.json": compact([entry])}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("two/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../one/layer.tar"
        tar.addfile(link)
    (place / "a.tar").chmod(0o644)
    assert podpy.ok("load", "-i", str(place / "a.tar")) == LOADED


def run_as(podpy: Podpy, *command: str) -> None:
    podpy.run([*command]).ok()


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive", "oci"])
def test_what_skopeo_makes(podpy: Podpy, busybox_oci_archive: Path, place: Path, kind: str) -> None:
    if shutil.which("skopeo") is None:
        pytest.fail("skopeo isn't installed: apt install skopeo")
    target = place / "out"
    command = ["skopeo", "copy", "-q", "--insecure-policy", f"oci-archive:{busybox_oci_archive}"]
    subprocess.run([*command, f"{kind}:{target}:example.com/bb:1"], check=True, capture_output=True)
    subprocess.run(["chmod", "-R", "a+rX", target], check=True)
    assert podpy.ok("load", "-i", str(target)) == "Loaded image: example.com/bb:1"
    assert len(podpy.json("image", "inspect", "bb:1")[0]["RootFS"]["Layers"]) == 1


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_what_podman_saves(podpy: Podpy, busybox_archive: Path, place: Path, kind: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: the suite runs as an ordinary user")
    own = ["podman", "--root", str(place / "root"), "--runroot", str(place / "run"), "--storage-driver", "vfs"]
    subprocess.run([*own, "load", "-i", busybox_archive], check=True, capture_output=True)
    target = place / "saved.tar"
    try:
        subprocess.run([*own, "save", "--format", kind, "-o", target, BUSYBOX], check=True, capture_output=True)
    finally:
        subprocess.run([*own, "rmi", "-af"], check=False, capture_output=True)
    target.chmod(0o644)
    assert podpy.ok("load", "-i", str(target)) == f"Loaded image: {BUSYBOX}"


def changed(image: Image, **changes: Any) -> dict[str, bytes]:
    """Return a docker-archive's files with other fields in manifest.json."""
    files = archive_entries(image, NAME)
    entry = json.loads(files["manifest.json"])[0] | changes
    return {**files, "manifest.json": compact([entry])}


def tar_header(name: str, size: bytes) -> bytes:
    """Return a header with any bytes as its size, and the right checksum."""
    info = tarfile.TarInfo(name)
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT)[:512])
    header[124:136] = size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def longest_name(length: int) -> bytes:
    """Return a tar with a file of a long name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("n" * length))
    return stream.getvalue()


def hostile_archives(image: Image) -> dict[str, tuple[bytes | dict[str, bytes], str]]:
    """Return archives (or their files) with the words that the error must have."""
    files = archive_entries(image, NAME)
    layer = next(name for name in files if name.endswith("layer.tar"))
    return {
        "nothing": (b"", "empty"),
        "no tar": (b"hello world" * 100, "no tar\nHint: podpy load takes"),
        "unknown": (b"hello world" * 100, "Error: payload does not match any of the supported image formats: "),
        "another tar": ({"README": b"x"}, "Error: payload does not match any of the supported image formats: "),
        "negative size": (tar_header("x", b"-0000001000\0") + b"\0" * 1024, "a size is not a number"),
        "long name": (longest_name(5000), "a name of more than 512 characters"),
        "other tar": ({"README": b"x"}, "holds no image"),
        "old docker": ({"repositories": b"{}"}, "before 1.10"),
        "manifest no JSON": ({"manifest.json": b"{"}, "not JSON"),
        "manifest nested": ({"manifest.json": b"[" * 100_000}, "nested too deeply"),
        "manifest an object": ({"manifest.json": b"{}"}, "not a list"),
        "no config": ({"manifest.json": b'[{"Config": "nope", "Layers": []}]'}, "has no nope"),
        "config outside": (changed(image, Config="../../etc/passwd"), "has no ../../etc/passwd"),
        "layer missing": (changed(image, Layers=["x", "y"]), "no layer x"),
        "layer count": (changed(image, Layers=[]), "names 0 layers"),
        "layer other": (changed(image, Layers=[layer, layer]), "unpacks to the digest"),
        "layer garbage": ({**files, layer: b"garbage" * 200}, ""),
        "name": (changed(image, RepoTags=["UPPER"]), "lowercase"),
        "names no list": (changed(image, RepoTags="x"), "RepoTags is not a list"),
        "empty index": ({"index.json": b'{"manifests": []}'}, "lists no image"),
        "index digest": (
            {"index.json": b'{"manifests": [{"digest": "sha256:../../x", "size": 1, "mediaType": "x"}]}'},
            "not a digest",
        ),
    }


KINDS = list(hostile_archives(Image([Layer().add("a", b"1").tar(), Layer().add("b", b"2").tar()])))


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_archive_is_one_line_and_leaves_nothing(podpy: Podpy, small: Image, place: Path, kind: str) -> None:
    content, text = hostile_archives(small)[kind]
    path = place / "a.tar"
    if isinstance(content, dict):
        write_tar(path, content)
    else:
        path.write_bytes(content)
    path.chmod(0o644)
    done = podpy("load", "-i", str(path)).fails(125, text)
    assert len(done.complaints) == 1
    assert "internal error" not in done.stderr
    assert podpy.ok("images", "-q") == ""
    assert [path for path in podpy.graphroot.glob("tmp/*") if path.name != "blobs"] == []


def test_an_archive_that_is_cut_off(podpy: Podpy, small: Image, place: Path) -> None:
    path = small.write_docker_archive(place / "a.tar", NAME)
    data = path.read_bytes()
    podpy("load", input=data[: len(data) // 3]).fails(125)
    podpy("load", input=gzip.compress(data)[:-20]).fails(125, "ends too early")


def test_a_link_in_a_directory_that_leads_out(podpy: Podpy, small: Image, place: Path) -> None:
    path = small.write_oci_directory(place / "dir", NAME)
    (place / "outside.json").write_bytes((path / "index.json").read_bytes())
    (path / "index.json").unlink()
    (path / "index.json").symlink_to(place / "outside.json")
    podpy("load", "-i", str(path)).fails(125, "lies outside the directory")


def test_a_bomb_in_the_extended_header(podpy: Podpy, place: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    (place / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 10_000)
    (place / "a.tar").chmod(0o644)
    podpy("load", "-i", str(place / "a.tar")).fails(125, "extended header")


def test_a_file_that_isnt_there(podpy: Podpy) -> None:
    podpy("load", "-i", "/nonexistent.tar").fails(125, "faccessat /nonexistent.tar: no such file or directory")


def test_a_policy_that_rejects_archives(podpy: Podpy, small: Image, place: Path) -> None:
    path = small.write_docker_archive(place / "a.tar", NAME)
    directory = podpy.home / ".config/containers"
    directory.mkdir(parents=True)
    reject = {"docker-archive": {"": [{"type": "reject"}]}}
    policy = {"default": [{"type": "insecureAcceptAnything"}], "transports": reject}
    (directory / "policy.json").write_text(json.dumps(policy))
    podpy("load", "-i", str(path)).fails(
        125, f"Source image rejected: Running image docker-archive:{path} is rejected by policy"
    )
    podpy.ok("load", "-i", str(small.write_oci_archive(place / "b.tar", NAME)))
