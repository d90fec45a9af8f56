"""`podpy image scp`: an archive goes through ssh to another machine's engine, and comes from there."""

from __future__ import annotations

import os

import pytest

from tests.support.engine import Podpy

SSH = """#!/bin/sh
[ "$1" = -- ] || exit 99
case "$2" in
nowhere) echo "Warning: something" >&2; echo "ssh: connect to host nowhere port 22: Connection refused" >&2; exit 255;;
esac
PATH="{directory}:$PATH"; export PATH
cd "{directory}/$2" && shift 2 && exec sh -c "$*"
"""
PODMAN = """#!/bin/sh
case "$1" in
load) cat > image.tar; echo "Loaded image: there";;
save) [ "$2" = "a b" ] && exit 3; cat image.tar;;
esac
"""


@pytest.fixture
def machines(podpy: Podpy) -> dict[str, str]:
    """An environment in which ssh leads to the machines `one` and `two`, whose engine keeps one archive."""
    directory = podpy.home / "machines"
    for name in ("one", "two"):
        (directory / name).mkdir(parents=True)
    for name, text in (("ssh", SSH), ("podman", PODMAN)):
        (directory / name).write_text(text.replace("{directory}", str(directory)))
        (directory / name).chmod(0o755)
    for path in (directory, *directory.iterdir()):
        os.chown(path, podpy.user.uid, podpy.user.gid)
    return {"PATH": f"{directory}:/usr/bin:/bin"}


def test_an_image_goes_there_and_to_the_next_machine_and_comes_back(
    podpy: Podpy, busybox: str, machines: dict[str, str]
) -> None:
    before = podpy.ok("images", "-q", "--no-trunc", busybox)
    assert podpy.ok("image", "scp", "-q", busybox, "one::", env=machines) == "Loaded image: there"
    assert podpy.ok("image", "scp", f"one::{busybox}", "two::", env=machines) == "Loaded image: there"
    podpy.ok("rmi", busybox)
    assert podpy.ok("image", "scp", "-q", f"two::{busybox}", env=machines) == f"Loaded image: {busybox}"
    assert podpy.ok("images", "-q", "--no-trunc", busybox) == before


def test_what_can_go_wrong_is_one_line(podpy: Podpy, busybox: str, machines: dict[str, str]) -> None:
    refused = "nowhere: ssh: connect to host nowhere port 22: Connection refused"
    for code, words, text in (
        (125, (busybox,), "must specify a destination: invalid argument"),
        (125, ("one::",), "no source image specified: invalid argument"),
        (125, (busybox, "one::other"), "one::other: the image keeps its name"),
        (125, (busybox, "::"), "no host stands before ::"),
        (125, (busybox, "-oProxyCommand=x::"), "no host stands before ::"),
        (125, ("nosuch", "one::"), "nosuch"),
        (125, (busybox, "nowhere::"), refused),
        (125, (f"nowhere::{busybox}",), refused),
        (125, (f"one::{busybox}", "nowhere::"), refused),
        (125, ("one::a b",), "one: exit code 3"),
    ):
        done = podpy("image", "scp", "-q", "--", *words, env=machines)
        done.fails(code, text)
        assert len([line for line in done.stderr.splitlines() if not line.startswith("Hint: ")]) == 1
