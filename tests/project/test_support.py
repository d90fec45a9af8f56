"""What the other tests stand on does what it says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support import images, needs, processes, wait
from tests.support.registry import Registry
from tests.support.users import User, read_ranges


def test_the_unprivileged_user_isnt_root_and_has_subordinate_ids_that_overlap_nobodys(user: User) -> None:
    assert user.uid != 0
    assert user.subuid is not None
    ranges = sorted((first, first + count) for _, first, count in read_ranges(Path("/etc/subuid")))
    mine = next(pair for pair in ranges if pair[0] == user.subuid)
    assert [pair for pair in ranges if pair[0] < mine[1] and mine[0] < pair[1]] == [mine]


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_another_program_understands_the_test_image(kind: str, request: pytest.FixtureRequest) -> None:
    name = "busybox_archive" if kind == "docker-archive" else "busybox_oci_archive"
    archive = request.getfixturevalue(name)
    command = ["skopeo", "inspect", "--config", f"{kind}:{archive}"]
    config = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert config["config"]["Cmd"] == ["sh"]


def test_an_image_comes_back_out_of_the_registry(registry: Registry, busybox_image: images.Image) -> None:
    digest = registry.push("library/busybox", "latest", busybox_image)
    answer = registry.request("GET", "/v2/library/busybox/manifests/latest", headers={"Accept": images.MANIFEST_TYPE})
    assert answer.headers["Docker-Content-Digest"] == digest


def test_the_secure_registry_wants_a_password(secure_registry: Registry, busybox_image: images.Image) -> None:
    secure_registry.push("private/busybox", "1", busybox_image)
    secure_registry.user = ""
    with pytest.raises(OSError, match="401"):
        secure_registry.request("GET", "/v2/private/busybox/manifests/1")


def test_only_a_listed_need_that_is_lacking_excuses_a_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(needs.NEEDS, "moon", ("it's day", lambda: False))
    monkeypatch.setitem(needs.NEEDS, "sun", ("it's night", lambda: True))
    assert needs.is_allowed("Skipped: needs moon: it's day")
    assert not needs.is_allowed("Skipped: needs sun: it's night")
    assert not needs.is_allowed("Skipped: I was tired")


def test_a_process_that_a_test_left_is_found_by_its_environment(tmp_path: Path) -> None:
    marker = "PODPY_TEST_ID=self-test"
    child = subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"], "PODPY_TEST_ID": "self-test"})
    try:
        found = wait.until(lambda: processes.mentioning([tmp_path], marker), what="the child is found")
        assert found == [child.pid]
    finally:
        child.kill()
        child.wait()
    wait.for_end(child.pid)
    assert processes.mentioning([tmp_path], marker) == []
