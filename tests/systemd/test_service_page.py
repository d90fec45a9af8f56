"""docs/service.md: its commands are run, one block after the other, by a user with a systemd of their own."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import images, needs, wait
from tests.support.engine import CHECKOUT, PATH, Podpy, Result
from tests.support.units import UserManager, user_manager
from tests.support.users import User

pytestmark = pytest.mark.xdist_group("units")  # names of units in one user's systemd
PAGE = CHECKOUT / "docs/service.md"
LINGER, LINGERING = "loginctl enable-linger", "/var/lib/systemd/linger"
IMAGE = "docker.io/library/busybox"
_BLOCK = re.compile(r"(?:^(?: {4}.*)?\n)+", re.MULTILINE)


def blocks() -> list[str]:
    """Return the page's blocks of commands."""
    found = (block.group().strip("\n") for block in _BLOCK.finditer(PAGE.read_text()))
    return ["\n".join(line[4:] for line in block.split("\n")) for block in found if block.strip()]


def file_of_the_page() -> str:
    """Return web.container as the page has it."""
    block = next(each for each in blocks() if each.startswith("cat >"))
    return block.partition("\n")[2].rpartition("\nEND")[0] + "\n"


def test_the_file_has_no_mistakes(podpy: Podpy) -> None:
    folder = podpy.home / "units"
    folder.mkdir()
    (folder / "web.container").write_text(file_of_the_page())
    done = podpy("quadlet", "verify", str(folder))
    done.ok()
    assert done.complaints == []


class Person:
    """The test's user with their own home directory and systemd, and the podpy that the generator belongs to."""

    def __init__(self, user: User) -> None:
        generator = needs.users_generator()
        assert generator is not None
        record = pwd.getpwuid(user.uid)
        self.name = record.pw_name
        self.environment = {
            "HOME": record.pw_dir,
            "USER": record.pw_name,
            "PATH": f"{generator.resolve().parent}:{PATH}",
            "XDG_RUNTIME_DIR": f"/run/user/{user.uid}",
        }
        self.user = user

    def __call__(self, script: str) -> Result:
        """Run a block of the page."""
        command = ["setpriv", f"--reuid={self.user.uid}", f"--regid={self.user.gid}", "--init-groups"]
        own = os.geteuid() == self.user.uid
        words = [*([] if own else command), "bash", "-e", "-c", script]
        done = subprocess.run(
            words, env=self.environment, cwd="/", capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120
        )
        return Result(words, done.returncode, done.stdout, done.stderr)


@pytest.fixture
def manager(podpy: Podpy) -> Iterator[UserManager]:
    with user_manager(podpy) as found:
        yield found


@pytest.fixture
def person(manager: UserManager, user: User, busybox_archive: Path) -> Iterator[Person]:
    needs.require("users-generator")
    person = Person(user)
    person(f"podpy load -i {busybox_archive}").ok()
    person(f"podpy tag {images.BUSYBOX} {IMAGE}").ok()
    yield person
    person("systemctl --user stop web; rm -rf ~/site ~/.config/containers/systemd/web.container*")
    person(f"systemctl --user daemon-reload; podpy rmi -f {IMAGE} {images.BUSYBOX}")


def test_every_command_of_the_page(person: Person) -> None:
    outputs = {}
    for block in blocks():
        if block.startswith("sudo ") or (block == LINGER and Path(LINGERING, person.name).exists()):
            continue  # a reboot; what polkit may deny
        if "curl " in block:  # systemd takes the service as started before the program listens
            start, _, curl = block.rpartition("\n")
            person(start).ok()
            wait.until(lambda curl=curl: person(curl).returncode == 0, what="the web server listens")
        outputs[block.split("\n")[-1]] = person(block).ok()
    assert outputs["curl -s localhost:8080"] == "It works."
    assert outputs["podpy quadlet verify"] == ""
    assert outputs["podpy exec systemd-web sh -c 'echo $TZ'"] == "UTC"
    assert "systemd-web" not in outputs["podpy ps -a"]
