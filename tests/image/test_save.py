"""`podpy save`: what goes out is what came in, byte for byte; and `pull` from archives and directories."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.engine import Podpy
from tests.support.images import Image, Layer, compact, sha256

zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
NAME = "localhost/small:v1"
FORMATS = ["docker-archive", "oci-archive", "oci-dir", "docker-dir"]
TRANSPORTS = {"docker-archive": "docker-archive", "oci-archive": "oci-archive", "oci-dir": "oci", "docker-dir": "dir"}
OCI_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_PLAIN = "application/vnd.docker.image.rootfs.diff.tar"


def image_id(image: Image) -> str:
    return sha256(image.config())[7:]


def members(path: Path) -> dict[str, bytes]:
    """Return the files of an archive or a directory."""
    if path.is_dir():
        return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with tarfile.open(path) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}  # type: ignore[union-attr]


def oci_manifest(files: dict[str, bytes]) -> tuple[bytes, str]:
    """Return the only manifest of an OCI layout and the name that the index gives it."""
    (entry,) = json.loads(files["index.json"])["manifests"]
    return files[f"blobs/{entry['digest'].replace(':', '/')}"], entry.get("annotations", {}).get(
        "org.opencontainers.image.ref.name", ""
    )


def assert_digests(files: dict[str, bytes]) -> None:
    """Every file that is named by its digest has it."""
    for name, data in files.items():
        stem = Path(name).name.partition(".")[0]
        if len(stem) == 64:
            assert hashlib.sha256(data).hexdigest() == stem, name


def tool(*command: str | Path) -> str:
    """Run another tool as root; return what it prints."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def odd_layer() -> bytes:
    layer = Layer().add("d", mode=0o2755).add("d/f", b"x" * 700, mode=0o4755, mtime=1.5).symlink("s", "d")
    layer.add("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3).add("caf\udce9", b"no UTF-8")
    layer.add("h", type=tarfile.LNKTYPE, linkname="d/f").add("d/.wh.gone", b"").add("n" * 180, b"long")
    return layer.add("twice", b"first").add("twice", b"second").tar() + b"\0" * 4096


@pytest.mark.parametrize("format", FORMATS)
def test_round_trip_keeps_the_image_id_and_every_layer(podpy: Podpy, shelf: Path, place: Path, format: str) -> None:
    image = Image([Layer().add("etc", mode=0o755).add("etc/one", b"1").tar(), odd_layer()])
    podpy.ok("load", "-i", str(image.write_docker_archive(shelf / "a.tar", NAME)))
    podpy.ok("save", "-q", "--format", format, "-o", str(place / "x"), NAME)
    files = members(place / "x")
    assert_digests(files)
    plain = {sha256(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data) for data in files.values()}
    assert plain >= {sha256(layer) for layer in image.layers}, "the very same tars"
    podpy.ok("rmi", NAME)
    podpy.ok("load", "-i", str(place / "x"))
    assert podpy.ok("images", "-q", "--no-trunc") == "sha256:" + image_id(image)
    assert podpy.ok("system", "check") == ""


def test_the_same_image_gives_the_same_archive_also_on_standard_output(podpy: Podpy, shelf: Path, place: Path) -> None:
    image = Image([Layer().add("f", b"1").tar()])
    podpy.ok("load", "-i", str(image.write_docker_archive(shelf / "a.tar", NAME)))
    done = podpy("save", "-o", str(place / "one.tar"), NAME)
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == "Writing manifest to image destination"
    script = f"{podpy.launcher} save {NAME} | cat > two.tar; {podpy.launcher} save {NAME} > three.tar"
    if not podpy.is_root:
        podpy.run(["sh", "-c", script], cwd=place).ok()
        assert (
            (place / "one.tar").read_bytes() == (place / "two.tar").read_bytes() == (place / "three.tar").read_bytes()
        )
    assert podpy.ok("load", input=(place / "one.tar").read_bytes()) == f"Loaded image: {NAME}"


def test_an_oci_image_keeps_manifest_and_blobs(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    manifest, blobs = small.blobs()
    for format in ("oci-archive", "oci-dir"):
        podpy.ok("save", "-q", "--format", format, "-o", str(place / format), NAME)
        files = members(place / format)
        assert oci_manifest(files) == (manifest, NAME)
        assert {sha256(data) for name, data in files.items() if name.startswith("blobs/")} == set(blobs)


def test_a_docker_directory_of_an_oci_image_keeps_its_blobs(
    podpy: Podpy, small: Image, shelf: Path, place: Path
) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    podpy.ok("save", "-q", "--format", "docker-dir", "-o", str(place / "x"), NAME)
    files = members(place / "x")
    manifest = json.loads(files["manifest.json"])
    assert [layer["mediaType"] for layer in manifest["layers"]] == [DOCKER_GZIP] * 2
    kept = {digest[7:] for digest in small.blobs()[1]} - {sha256(small.blobs()[0])[7:]}
    assert set(files) == kept | {"manifest.json", "version"}
    assert files["version"] == b"Directory Transport Version: 1.1\n"


def test_compress_and_uncompressed(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(small.write_docker_archive(shelf / "a.tar", NAME)))

    def types(*arguments: str) -> list[str]:
        target = place / os.urandom(4).hex()
        podpy.ok("save", "-q", *arguments, "-o", str(target), NAME)
        files = members(target)
        manifest = oci_manifest(files)[0] if "index.json" in files else files["manifest.json"]
        return [layer["mediaType"] for layer in json.loads(manifest)["layers"]]

    assert types("--format", "oci-dir") == [OCI_GZIP] * 2
    assert types("--format", "oci-dir", "--uncompressed") == [OCI_GZIP.removesuffix("+gzip")] * 2
    assert types("--format", "docker-dir") == [DOCKER_PLAIN] * 2
    assert types("--format", "docker-dir", "--compress") == [DOCKER_GZIP] * 2


def test_uncompressed_unpacks_layers_that_came_compressed(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-q", "-i", str(small.write_oci_archive(shelf / "gzip.tar", NAME)))
    for format in ("oci-archive", "oci-dir"):
        target = place / format
        podpy.ok("save", "-q", "--format", format, "--uncompressed", "-o", str(target), NAME)
        files = members(target)
        layers = json.loads(oci_manifest(files)[0])["layers"]
        assert [layer["mediaType"] for layer in layers] == [OCI_GZIP.removesuffix("+gzip")] * 2
        assert [files[f"blobs/sha256/{layer['digest'][7:]}"] for layer in layers] == small.layers


def zstd_archive(image: Image, path: Path) -> tuple[Path, bytes]:
    """Write an oci-archive whose layers are zstd; return it and its manifest."""
    layers = [zstd.compress(layer) for layer in image.layers]
    config = image.config()
    description = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(config)}
    kind = OCI_GZIP.replace("gzip", "zstd")
    manifest = compact(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {**description, "size": len(config)},
            "layers": [{"mediaType": kind, "digest": sha256(data), "size": len(data)} for data in layers],
            "annotations": {"kept": "yes"},
        }
    )
    entry = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": sha256(manifest),
        "size": len(manifest),
    }
    files = {f"blobs/sha256/{sha256(data)[7:]}": data for data in (*layers, config, manifest)}
    files["index.json"] = compact({"schemaVersion": 2, "manifests": [entry]})
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path, manifest


def test_zstd_layers_stay_in_oci_and_become_gzip_in_docker(
    podpy: Podpy, small: Image, shelf: Path, place: Path
) -> None:
    path, manifest = zstd_archive(small, shelf / "z")
    podpy.ok("load", "-i", str(path))
    podpy.ok("save", "-q", "--format", "oci-dir", "-o", str(place / "o"), image_id(small))
    assert oci_manifest(members(place / "o")) == (manifest, ""), "by its id: no name"
    podpy.ok("save", "-q", "--format", "docker-dir", "-o", str(place / "d"), "--compress", image_id(small))
    layers = json.loads(members(place / "d")["manifest.json"])["layers"]
    assert [layer["mediaType"] for layer in layers] == [DOCKER_GZIP] * 2


NAMES = [
    ([NAME], [NAME]),
    (["small:v1"], [NAME]),
    ([NAME, "b.io/y:3", "b.io/y", "short"], ["b.io/y:3", "b.io/y:latest", "localhost/short:latest", NAME]),
    (["ID"], []),
    (["-m", "a.io/x:1", "small:v1", "a.io/x:1"], ["a.io/x:1", NAME]),
    (["-m", "a.io/x:1", "ID"], ["a.io/x:1"]),
]


def test_names_in_repotags(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(small.write_docker_archive(shelf / "a.tar", NAME)))
    podpy.ok("tag", NAME, "a.io/x:1")
    for number, (arguments, expected) in enumerate(NAMES):
        words = [image_id(small) if word == "ID" else word for word in arguments]
        podpy.ok("save", "-q", "-o", str(place / f"{number}.tar"), *words)
        (entry,) = json.loads(members(place / f"{number}.tar")["manifest.json"])
        assert entry["RepoTags"] == expected, arguments


def test_several_images_in_one_archive(podpy: Podpy, small: Image, bulky: Image, shelf: Path, place: Path) -> None:
    shared = Image([small.layers[0], Layer().add("own", b"1").tar()])
    for number, (image, name) in enumerate({"a.io/x:1": small, "a.io/y:2": bulky, "a.io/z:3": shared}.items()):
        podpy.ok("load", "-i", str(name.write_docker_archive(shelf / f"{number}.tar", image)))
    configuration = podpy.home / ".config/containers"
    configuration.mkdir(parents=True)
    (configuration / "containers.conf").write_text("[engine]\nmulti_image_archive = true\n")
    podpy.ok("save", "-q", "-o", str(place / "all.tar"), "a.io/x:1", "a.io/y:2", "a.io/z:3")
    with tarfile.open(place / "all.tar") as tar:
        names = tar.getnames()
    assert len(names) == len(set(names)) == 4 + 3 + 1, "a layer that two images share is there once"
    podpy.ok("rmi", "-a")
    for chosen, ids in {":a.io/y:2": [bulky], ":@2": [shared], "": [small, bulky, shared]}.items():
        text = podpy.ok("pull", "-q", f"docker-archive:{place / 'all.tar'}{chosen}")
        assert text.splitlines() == [image_id(image) for image in ids]
    text = podpy.ok("load", "-i", str(place / "all.tar"))
    assert text.splitlines() == [f"Loaded image: a.io/{name}" for name in ("x:1", "y:2", "z:3")]
    podpy("pull", f"docker-archive:{place / 'all.tar'}:nope").fails(125, 'tag "nope" not found', "a.io/x:1, a.io/y:2")
    podpy("pull", f"docker-archive:{place / 'all.tar'}:@3").fails(125, "only 3 manifest items available")


def test_an_oci_directory_with_several_images(
    podpy: Podpy, small: Image, bulky: Image, shelf: Path, place: Path
) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", "a.io/x:1")))
    podpy.ok("load", "-i", str(bulky.write_oci_archive(shelf / "b.tar", "short")))
    layout = place / "layout"
    for name in ("a.io/x:1", "a.io/x:1", "short"):
        podpy.ok("save", "-q", "--format", "oci-dir", "-o", str(layout), name)
    assert len(json.loads((layout / "index.json").read_bytes())["manifests"]) == 2, "a name means one image"
    podpy.ok("rmi", "-a")
    podpy("pull", f"oci:{layout}").fails(125, "more than one image in oci, choose an image", "localhost/short:latest")
    podpy("pull", f"oci:{layout}:nope").fails(125, 'no descriptor found for reference "nope"')
    podpy("pull", f"oci:{layout}:@2").fails(125, "only 2 entries available")
    for chosen, image in {"a.io/x:1": small, "@0": small, "@1": bulky, "short": bulky}.items():
        assert podpy.ok("pull", "-q", f"oci:{layout}:{chosen}") == image_id(image)
    names = podpy.ok("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    assert sorted(names) == ["a.io/x:1", "docker.io/library/short:latest"]
    podpy.ok("rmi", "-a")
    assert len(podpy.ok("load", "-i", str(layout)).splitlines()) == 2


@pytest.mark.parametrize("format", FORMATS)
def test_pull_from_what_save_wrote(podpy: Podpy, small: Image, shelf: Path, place: Path, format: str) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    podpy.ok("save", "-q", "--format", format, "-o", str(place / "x"), NAME)
    podpy.ok("rmi", "-a")
    for transport in set(TRANSPORTS.values()) - {TRANSPORTS[format]}:
        podpy("pull", f"{transport}:{place / 'x'}").fails(125)
    assert podpy.ok("pull", "-q", f"{TRANSPORTS[format]}:{place / 'x'}") == image_id(small)
    names = podpy.json("image", "inspect", image_id(small))[0]["RepoTags"]
    assert names == ([NAME] if format.endswith("archive") else []), "a directory's path is no name"
    podpy("pull", f"{TRANSPORTS[format]}:{place / 'nothing'}").fails(125, f"{place / 'nothing'}: ", "o such file")


@pytest.mark.parametrize(
    ("kind", "named", "chosen", "name"),
    [
        ("oci", "short", "", ""),
        ("oci", "short", ":short", "docker.io/library/short:latest"),
        ("oci", "short", ":@0", ""),
        ("oci", "a.io/x:1", ":a.io/x:1", "a.io/x:1"),
        ("oci", "docker.io/library/x:1", ":docker.io/library/x:1", "docker.io/library/x:1"),
        ("oci-archive", "short", "", "localhost/short:latest"),
        ("oci-archive", "short", ":short", "localhost/short:latest"),
        ("oci-archive", "a.io/x:1", "", "a.io/x:1"),
        ("docker-archive", "short:2", "", "localhost/short:2"),
        ("docker-archive", "short:2", ":short:2", "localhost/short:2"),
        ("docker-archive", "short:2", ":docker.io/library/short:2", "localhost/short:2"),
        ("docker-archive", "a.io/x:1", ":a.io/x:1", "a.io/x:1"),
    ],
)
def test_a_pull_from_a_place_names_the_image_as_podman_does(
    podpy: Podpy, small: Image, shelf: Path, kind: str, named: str, chosen: str, name: str
) -> None:
    write = {
        "oci": small.write_oci_directory,
        "oci-archive": small.write_oci_archive,
        "docker-archive": small.write_docker_archive,
    }[kind]
    place = write(shelf / "x", named)
    assert podpy.ok("pull", "-q", f"{kind}:{place}{chosen}") == image_id(small)
    assert podpy.json("image", "inspect", image_id(small))[0]["RepoTags"] == ([name] if name else [])


def test_containerds_name_counts_in_an_oci_archive_whatever_chose_the_image(
    podpy: Podpy, small: Image, shelf: Path
) -> None:
    layout = small.write_oci_directory(shelf / "x", "1")
    index = json.loads((layout / "index.json").read_bytes())
    index["manifests"][0]["annotations"]["io.containerd.image.name"] = "docker.io/library/x:1"
    (layout / "index.json").write_bytes(compact(index))
    tool("tar", "-C", layout, "-cf", shelf / "x.tar", ".")
    podpy.ok("pull", "-q", f"oci-archive:{shelf / 'x.tar'}:1")
    podpy.ok("pull", "-q", f"oci:{layout}:1")
    names = podpy.json("image", "inspect", image_id(small))[0]["RepoTags"]
    assert sorted(names) == ["docker.io/library/1:latest", "docker.io/library/x:1"]


def test_pull_from_standard_input(podpy: Podpy, small: Image, shelf: Path) -> None:
    data = small.write_docker_archive(shelf / "a.tar", NAME).read_bytes()
    assert podpy.ok("pull", "-q", "docker-archive:/dev/stdin", input=data) == image_id(small)


def test_a_transport_that_podpy_lacks_is_named(podpy: Podpy) -> None:
    podpy("pull", "docker-daemon:x:1").fails(125, "doesn't know the transport docker-daemon", "oci-archive:FILE")
    podpy("pull", "dir:").fails(125, "there is no path in it")
    podpy("pull", "oci:x:@y").fails(125, "@y isn't @ and a number")


def test_the_blobs_of_another_image_live_as_long_as_they_are_needed(
    podpy: Podpy, small: Image, shelf: Path, place: Path
) -> None:
    other = Image([small.layers[0], Layer().add("own", b"1").tar()])
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    podpy.ok("load", "-i", str(other.write_docker_archive(shelf / "b.tar", "localhost/other:v1")))
    podpy.ok("rmi", NAME)
    podpy.ok("save", "-q", "-o", str(place / "x.tar"), "other:v1")
    assert {sha256(layer)[7:] + ".tar" for layer in other.layers} <= set(members(place / "x.tar"))
    podpy.ok("rmi", "other:v1")
    left = [*podpy.graphroot.glob("blobs/sha256/*"), *podpy.graphroot.glob("recipes/*")]
    assert left == []


def test_a_docker_archive_of_an_image_that_is_here_leaves_its_manifest(
    podpy: Podpy, small: Image, shelf: Path, place: Path
) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    podpy.ok("save", "-q", "-o", str(place / "x.tar"), NAME)
    podpy.ok("load", "-i", str(place / "x.tar"))
    podpy.ok("save", "-q", "--format", "oci-archive", "-o", str(place / "o.tar"), NAME)
    assert oci_manifest(members(place / "o.tar"))[0] == small.blobs()[0]


@pytest.mark.parametrize("format", FORMATS[1:])
def test_names_that_the_format_has_no_room_for_are_left_out_with_a_warning(
    podpy: Podpy, small: Image, shelf: Path, place: Path, format: str
) -> None:
    podpy.ok("load", "-i", str(small.write_docker_archive(shelf / "a.tar", NAME)))
    alone = podpy("save", "-q", "--format", format, "-o", str(place / "alone"), NAME)
    done = podpy("save", "-q", "--format", format, "-o", str(place / "x"), NAME, "other", "third")
    assert (alone.ok(), alone.stderr, done.ok()) == ("", "", "")
    rest = f"{format} holds one image under one name: other, third left out (docker-archive takes several)"
    assert done.warnings == [rest]
    assert members(place / "x") == members(place / "alone")


REFUSED = [
    (["-o", "x", "nope"], "nope: image not known"),
    (["--format", "bad", "-o", "x", NAME], "format value must be one of oci-dir oci-archive docker-dir docker-archive"),
    (["--compress", "-o", "x", NAME], "--compress can only be set when --format is 'docker-dir'"),
    (["-o", "x:y", NAME], "invalid filename (should not contain ':') \"x:y\""),
    (["-o", "there.tar", NAME], "docker-archive doesn't support modifying existing images"),
    (["-o", "dir", NAME], 'opening file "dir": open dir: is a directory'),
    (["-o", "/nowhere/x", NAME], 'opening file "/nowhere/x": open /nowhere/x: no such file or directory'),
    (
        ["--format", "docker-dir", "-o", "dir", NAME],
        "initializing destination dir:dir: not a containers image directory",
    ),
    (["--format", "oci-dir", "-o", "there.tar", NAME], "there.tar/blobs/sha256: Not a directory"),
    (["--format", "oci-archive", "-m", "-o", "x", NAME, "y"], 'unsupported format "oci-archive" for saving multiple'),
    (["-o", "x", NAME, "UPPER"], "lowercase"),
]


def test_what_is_refused_and_leaves_nothing(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(small.write_docker_archive(shelf / "a.tar", NAME)))
    podpy.run(["sh", "-c", "echo precious > there.tar; mkdir dir; echo precious > dir/file"], cwd=place).ok()
    for arguments, text in REFUSED:
        assert len(podpy("save", *arguments, cwd=place).fails(125, text).complaints) == 1
    assert members(place) == {"there.tar": b"precious\n", "dir/file": b"precious\n"}


def test_nothing_is_appended_to_a_file(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(small.write_docker_archive(shelf / "a.tar", NAME)))
    done = podpy.run(["sh", "-c", 'echo x > x; exec "$0" save "$1" >> x', str(podpy.launcher), NAME], cwd=place)
    done.fails(125, "modifying existing images\n", "Hint: Write to a new file")


def test_a_terminal_is_refused(podpy: Podpy) -> None:
    ours, theirs = pty.openpty()
    process = podpy.popen("save", "x", stdout=theirs, stderr=subprocess.PIPE)
    error = process.communicate(timeout=60)[1].decode()
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, error) == (125, "Error: refusing to save to terminal. Use -o flag or redirect\n")


def test_events_for_programs(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    told = podpy("save", "--progress", "json", "--format", "oci-archive", "-o", str(place / "x.tar"), NAME)
    events = [json.loads(line) for line in told.ok().splitlines()]
    kinds = [event["event"] for event in events if event["event"] != "layer-advanced"]
    assert kinds == ["layer-started", "layer-done"] * 2 + ["config", "committing", "saved"]
    assert (events[-1], told.stderr) == ({"event": "saved", "name": str(place / "x.tar")}, "")
    for output in ([], ["-o", "/dev/stdout"]):
        podpy("save", "--progress", "json", *output, NAME).fails(125, "standard output is for the archive", "--output")
    failed = podpy("save", "--progress", "json", "-o", str(place / "y.tar"), "nothing").fails(125, "image not known")
    assert json.loads(failed.stdout)["event"] == "error"
    failed = podpy("load", "--progress", "json", "-i", str(place / "y.tar")).fails(125, "no such file")
    assert json.loads(failed.stdout)["event"] == "error"


def test_a_damaged_store_is_named_and_the_old_archive_stays(
    podpy: Podpy, small: Image, shelf: Path, place: Path
) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    podpy.run(["sh", "-c", "echo old > x.tar"], cwd=place).ok()
    blob = next(iter(podpy.graphroot.glob("blobs/sha256/*")))
    data = blob.read_bytes()
    blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    podpy("save", "-q", "--format", "oci-archive", "-o", str(place / "x.tar"), NAME).fails(
        125, f"blob sha256:{blob.name} isn't what it was"
    )
    assert members_of_directory(place) == {"x.tar": b"old\n"}
    podpy("system", "check", "--quick").ok()
    checked = podpy("system", "check")
    assert (checked.returncode, f"blob sha256:{blob.name} isn't what it was" in checked.stdout) == (1, True)


@pytest.mark.parametrize("compressed", [True, False])
def test_a_damaged_blob_is_named_where_its_tar_is_wanted(
    podpy: Podpy, bulky: Image, shelf: Path, place: Path, compressed: bool
) -> None:
    """Whether the decompressor stumbles first or only the digest tells."""
    podpy.ok("load", "-i", str(bulky.write_oci_archive(shelf / "a.tar", NAME, compressed=compressed)))
    (blob,) = podpy.graphroot.glob("blobs/sha256/*")
    with blob.open("r+b") as file:
        file.seek(blob.stat().st_size // 2)
        file.write(b"x" * 1000)
    podpy("save", "-q", "-o", str(place / "x.tar"), NAME).fails(
        125, f"blob sha256:{blob.name} isn't what it was", "remove the image and pull or load it again"
    )
    assert [*place.iterdir()] == []


def test_a_killed_save_leaves_nothing_past_the_next_one(podpy: Podpy, bulky: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(bulky.write_docker_archive(shelf / "a.tar", NAME)))
    os.mkfifo(place / "pipe")
    os.chmod(place / "pipe", 0o666)
    arguments = ["save", "--format", "oci-archive", "-o"]
    process = podpy.popen(*arguments, str(place / "pipe"), NAME)
    with (place / "pipe").open("rb") as pipe:
        assert len(pipe.read(1000)) == 1000
        process.kill()
        process.wait(timeout=60)
    assert [*podpy.graphroot.glob("tmp/*/compressed-*")], "the compressed layer was there"
    podpy.ok(*arguments, str(place / "x.tar"), NAME)
    assert {path.name for path in podpy.graphroot.glob("tmp/*")} <= {"blobs"}
    assert {path.name for path in place.iterdir()} == {"pipe", "x.tar"}


def test_a_save_that_is_killed_while_it_replaces_an_archive_leaves_nothing_past_the_next_one(
    podpy: Podpy, small: Image, shelf: Path, place: Path
) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    podpy.run(["sh", "-c", "echo old > x.tar; echo mine > .podpy-new-mine; chmod 444 .podpy-new-mine"], cwd=place).ok()
    save = ["save", "-q", "--format", "oci-archive", "-o"]
    with (place / ".podpy-new-mine").open("rb") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        killed = podpy(*save, str(place / "x.tar"), NAME, env={"PODPY_CRASH_AT": "save:linked"})
        assert killed.returncode == -signal.SIGKILL
        assert (place / "x.tar").read_text() == "old\n"
        assert len([*place.iterdir()]) == 3
        podpy.ok(*save, str(place / "y.tar"), NAME)
        assert {path.name for path in place.iterdir()} == {"x.tar", "y.tar", ".podpy-new-mine"}
    podpy.ok(*save, str(place / "x.tar"), NAME)
    assert {path.name for path in place.iterdir()} == {"x.tar", "y.tar"}
    assert (place / "x.tar").read_bytes() == (place / "y.tar").read_bytes()


def traced_calls(podpy: Podpy, place: Path, *arguments: str) -> list[str]:
    """Return the calls that name and sync files below `place`, in order."""
    trace = ["strace", "-f", "-y", "-e", "trace=fsync,linkat,rename,renameat2", "-o", str(podpy.home / "trace")]
    podpy.run([*trace, *podpy.command(*arguments)]).ok()
    lines = (podpy.home / "trace").read_text().splitlines()
    return [line.split()[1].partition("(")[0] for line in lines if f"{place}" in line]


def test_an_archive_is_synced_before_it_has_its_name(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    calls = traced_calls(podpy, place, "save", "-q", "--format", "oci-archive", "-o", str(place / "x.tar"), NAME)
    assert calls == ["fsync", "linkat", "fsync"]
    calls = traced_calls(podpy, place, "save", "-q", "--format", "oci-archive", "-o", str(place / "x.tar"), NAME)
    assert calls == ["fsync", "linkat", "linkat", "rename", "fsync"]
    podpy.ok("create", "--name=c", NAME, "true")  # an export is synced if it takes the place of another file
    assert traced_calls(podpy, place, "export", "-o", str(place / "c.tar"), "c") == ["linkat"]
    calls = traced_calls(podpy, place, "export", "-o", str(place / "c.tar"), "c")
    assert calls == ["linkat", "fsync", "linkat", "linkat", "rename", "fsync"]


def test_an_image_that_is_removed_while_it_is_saved(podpy: Podpy, bulky: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(bulky.write_docker_archive(shelf / "a.tar", NAME)))
    os.mkfifo(place / "pipe")
    os.chmod(place / "pipe", 0o666)
    process = podpy.popen("save", "-o", str(place / "pipe"), NAME)
    with (place / "pipe").open("rb") as pipe:
        data = pipe.read(1000)
        podpy.ok("rmi", NAME)
        data += pipe.read()
    assert process.wait(timeout=60) == 0
    assert podpy.ok("load", input=data) == f"Loaded image: {NAME}"


def members_of_directory(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def library(podpy: Podpy, code: str) -> str:
    """Run Python code with a Runtime, as the user; return what it prints."""
    script = f"import sys; sys.path.insert(0, {str(podpy.launcher.parents[2])!r})\nfrom podpy import Runtime\n{code}"
    return podpy.run([sys.executable, "-c", script]).ok()


def push(podpy: Podpy, destination: str) -> str:
    """Push an image through the library; return the manifest's digest."""
    return library(
        podpy,
        f"""
from podpy.image.archive.write import push_to_transport
from podpy.image.names.lookup import find_named
from podpy.image.names.transports import parse_transport
with Runtime() as runtime:
    record, name = find_named(runtime.store, runtime.paths, {NAME!r})
    transport = parse_transport({destination!r})
    print(runtime.privileged(lambda: push_to_transport(runtime.store, record, name, transport)))
""",
    )


def test_the_library_saves(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    target = str(place / "x.tar")
    library(podpy, f"with Runtime() as runtime: runtime.save([{NAME!r}], {target!r})")
    podpy.ok("save", "-q", "-o", str(place / "y.tar"), NAME)
    assert (place / "x.tar").read_bytes() == (place / "y.tar").read_bytes()


def test_pushing_to_places_gives_the_place_its_name(podpy: Podpy, small: Image, shelf: Path, place: Path) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    digest = sha256(small.blobs()[0])
    assert push(podpy, f"oci:{place / 'o'}:foo") == digest
    assert oci_manifest(members(place / "o")) == (small.blobs()[0], "foo")
    assert push(podpy, f"dir:{place / 'd'}") == digest, "a directory holds either family"
    assert members(place / "d")["manifest.json"] == small.blobs()[0]
    assert push(podpy, f"docker-archive:{place / 'x.tar'}:foo") == ""
    (entry,) = json.loads(members(place / "x.tar")["manifest.json"])
    assert entry["RepoTags"] == ["docker.io/library/foo:latest", NAME]
