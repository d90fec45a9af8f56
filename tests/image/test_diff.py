"""`diff`, `image diff`, `container diff`: what a layer or a container changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engine import Podpy
from tests.support.images import Image, Layer

LOWER = Layer()
for _name in ("same", "gone", "wiped"):
    LOWER.add(_name, mode=0o755).add(f"{_name}/one", b"1").add(f"{_name}/two", b"2")
UPPER = (
    Layer()
    .add("same", mode=0o755)
    .add("same/two", b"other")
    .add(".wh.gone", b"")
    .add("wiped", mode=0o755)
    .add("wiped/.wh..wh..opq", b"")
    .add("wiped/new", b"n")
    .add("added", mode=0o755)
    .add("added/file", b"f")
)
LAYERS = [LOWER.tar(), UPPER.tar()]
EXPECTED = [
    "A /added",
    "A /added/file",
    "D /gone",
    "C /same",
    "C /same/two",
    "C /wiped",
    "A /wiped/new",
    "D /wiped/one",
    "D /wiped/two",
]


def deep(name: str) -> bytes:
    """A layer with a file in 1,200 directories, one in the other: a path through a link is short enough for tar.

    More than Python calls itself (1000), and 6,000 bytes, more than a path has (4096); each further one costs all calls
    that walk down.
    """
    half = "/".join(["nest"] * 600)
    layer = Layer().add(half, mode=0o755).symlink("half", half)
    return layer.add(f"half/{half}", mode=0o755).add(f"half/{half}/{name}", b"deep").tar()


@pytest.fixture
def layered(podpy: Podpy, session_base: Path) -> Podpy:
    for name, layers in (("lower", LAYERS[:1]), ("upper", LAYERS)):
        path = Image(layers, {"Cmd": ["/x"]}).write_docker_archive(session_base / f"diff-{name}.tar", f"{name}:1")
        podpy.ok("load", "-qi", str(path))
    return podpy


def test_an_images_last_layer(layered: Podpy) -> None:
    assert layered.ok("image", "diff", "upper:1").splitlines() == EXPECTED
    assert layered.ok("diff", "upper:1", "lower:1").splitlines() == EXPECTED
    backwards = layered.ok("image", "diff", "lower:1", "upper:1").splitlines()
    assert "A /gone/one" in backwards
    assert "D /added" in backwards
    assert layered.ok("diff", "lower:1").splitlines()[:2] == ["A /gone", "A /gone/one"]
    assert layered.json("image", "diff", "--format", "json", "upper:1")["deleted"] == [
        "/gone",
        "/wiped/one",
        "/wiped/two",
    ]


def test_a_container(podpy: Podpy, busybox: str) -> None:
    script = "rm /bin/ls; echo x >/etc/new; mkdir -p /a/b; chmod 700 /tmp"
    expected = ["A /a", "A /a/b", "C /bin", "D /bin/ls", "C /etc", "A /etc/new", "C /tmp"]
    caller_is_added = ["C /etc/group", "C /etc/passwd"]
    for options, added in (([], []), (["--userns=keep-id", "--user=0"], caller_is_added)):
        podpy.ok("run", "--replace", "--name", "changes", *options, busybox, "sh", "-c", script)
        assert podpy.ok("diff", "changes").splitlines() == sorted(expected + added, key=lambda line: line[2:])
    assert podpy.ok("container", "diff", "--latest") == podpy.ok("diff", "changes", busybox)
    podpy.ok("create", "--name", "unchanged", busybox)
    assert podpy.ok("diff", "unchanged") == ""


def test_what_cant_be_compared(podpy: Podpy, busybox: str) -> None:
    podpy("diff", "nope").fails(125, "nope not found: layer not known")
    podpy("container", "diff", busybox).fails(125, "no such container")
    podpy("image", "diff", "nope").fails(125, "nope: image not known")
    podpy("diff", "--format", "{{.}}", busybox).fails(125, "only supported value for '--format' is 'json'")
    podpy("diff", "a", "b", "c").fails(125, "at most two")


def test_directories_nested_beyond_the_longest_path(podpy: Podpy, busybox_image: Image, session_base: Path) -> None:
    image = Image([*busybox_image.layers, deep("one"), deep("two")], busybox_image.settings)
    podpy.ok("load", "-qi", str(image.write_docker_archive(session_base / "deep.tar", "localhost/deep:1")))
    bottom = "/nest" * 1200
    assert podpy.ok("image", "diff", "localhost/deep:1").splitlines()[-2:] == [f"C {bottom}", f"A {bottom}/two"]
    dig = "cd half && i=0; while [ $i -lt 160 ]; do i=$((i+1)); cd nest; done; echo mine >mine"
    podpy.ok("run", "--name", "c", "--network", "none", "localhost/deep:1", "sh", "-c", dig)
    changed = podpy.ok("diff", "c").splitlines()
    assert f"A {'/nest' * 760}/mine" in changed
    assert f"C {'/nest' * 760}" in changed
    assert "(virtual" in podpy.ok("ps", "-a", "--size")
    podpy.ok("system", "df", "-v")
    podpy.ok("rm", "c")
    podpy.ok("rmi", "localhost/deep:1")
    assert [path.name for path in podpy.graphroot.glob("layers/*")] in ([], ["empty"])
    assert podpy.ok("system", "check") == ""


@pytest.mark.parametrize(
    "options", [["--userns", "keep-id"], ["-v", "new:/nest"], []], ids=["keep-id", "new volume", "vfs driver"]
)
def test_a_copy_that_would_be_nested_too_deeply(
    podpy: Podpy, busybox_image: Image, session_base: Path, options: list[str]
) -> None:
    driver = {} if options else {"PODPY_STORAGE_DRIVER": "vfs"}
    image = Image([*busybox_image.layers, deep("one")], busybox_image.settings)
    archive = str(image.write_docker_archive(session_base / "deep.tar", "localhost/deep:1"))
    podpy.ok("load", "-qi", archive, env=driver)
    ended = podpy("run", "--rm", "--network", "none", *options, "localhost/deep:1", "true", env=driver)
    ended.fails(125, "directories are nested too deeply to be copied (300")
    assert len(ended.complaints) == 1
    assert len(ended.stderr) < 500
    assert podpy.ok("ps", "-aq") == ""
    assert not [*podpy.graphroot.glob("volumes/*/_data/*")], "not half a copy, which would never be completed"
    podpy.ok("rmi", "localhost/deep:1")
    assert podpy.ok("system", "check") == ""
    assert not [path for path in podpy.graphroot.glob("tmp/*") if path.name != "blobs"]
