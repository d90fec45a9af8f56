"""Ids that an image's account files hold: what is none never becomes another one; with crun and runc."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import images
from tests.support.engine import Podpy, Result

# 4294967295 is "no change" to the kernel, 4294967296 is 0 in 32 bits, the third is a digit, but not an ASCII one.
PASSWD = "root:x:0:0::/:\nnochange:x:4294967295:1::/:\nwrapped:x:4294967296:1::/:\n"
PASSWD += "script:x:٣:1::/:\nlast:x:65534:1::/:\n"
GROUP = "root:x:0:\none:x:1:\nnochange:x:4294967295:last\nwrapped:x:4294967296:last\nlast:x:65534:last\n"


@pytest.fixture(params=("crun", "runc"))
def run(
    request: pytest.FixtureRequest, podpy: Podpy, busybox_image: images.Image, session_base: Path
) -> Callable[..., Result]:
    """Return a function that runs `id` in a container of an image with such account files."""
    layer = images.Layer().add("etc/passwd", PASSWD.encode()).add("etc/group", GROUP.encode())
    image = images.Image([*busybox_image.layers, layer.tar()], dict(busybox_image.settings))
    archive = image.write_docker_archive(session_base / "ids.tar", "localhost/ids:latest")
    podpy("load", "-i", str(archive)).ok()

    def call(*options: str) -> Result:
        return podpy("--runtime", request.param, "run", "--rm", "--network=none", *options, "localhost/ids", "id")

    return call


def test_a_user_whose_id_is_none_is_not_there(run: Callable[..., Result]) -> None:
    for name in ("nochange", "wrapped", "script"):
        run("-u", name).fails(126, f"unable to find user {name}: no matching entries in passwd file")
        run("-u", f"{name}:{name}").fails(126, f"unable to find user {name}")


def test_a_group_whose_id_is_none_is_not_there(run: Callable[..., Result]) -> None:
    for name in ("nochange", "wrapped"):
        run("-u", f"root:{name}").fails(126, f"unable to find group {name}: no matching entries in group file")
        run("--group-add", name).fails(126, f"unable to find group {name}")


def test_the_groups_that_list_a_user_leave_those_out(run: Callable[..., Result]) -> None:
    assert run("-u", "last").ok() == "uid=65534(last) gid=1(one) groups=1(one),65534(last)"
