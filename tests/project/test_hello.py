"""`podpy run --rm hello`: the first thing that a new user sees."""

from __future__ import annotations

import re

from tests.support.engine import Podpy


def test_hello_needs_no_registry_and_tells_real_values(podpy: Podpy) -> None:
    done = podpy("run", "--rm", "hello")
    text = done.ok()
    assert done.stderr == ""
    assert re.search(r"container +[0-9a-f]{12}, named \w+", text)
    assert re.search(r"image +localhost/hello:latest", text)
    assert re.search(r"engine +podpy", text)
    assert re.search(r"process +pid 1, the first of its pid namespace", text)
    assert re.search(r"conmon +pid \d+ on the host, /\S+/conmon", text)
    assert f"0 here is {podpy.user.uid} outside" in text
    assert "user 4026531837 (the host's)" not in text
    assert re.search(r"root +(overlay|fuse)", text)
    assert "seccomp" in text


def test_hello_leaves_no_container_behind(podpy: Podpy) -> None:
    podpy("run", "--rm", "hello").ok()
    assert podpy.json("ps", "--all", "--format", "json") == []


def test_hello_runs_as_root_too(podpy_root: Podpy) -> None:
    assert "Hello from a container" in podpy_root.ok("run", "--rm", "hello")
