"""docs/quadlet.md: its files have no mistakes, and its commands work on them."""

from __future__ import annotations

import os
import re
import shlex
from textwrap import dedent

from tests.support.engine import CHECKOUT, Podpy

PAGE = (CHECKOUT / "docs/quadlet.md").read_text()
BLOCKS = [dedent(block).strip("\n") for block in re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", PAGE, re.MULTILINE)]
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith("podpy")]


def test_every_command_of_the_page_works(podpy: Podpy, busybox: str) -> None:
    shop = podpy.home / "shop"
    shop.mkdir()
    (shop / "web.container").write_text(next(block for block in BLOCKS if "Description=A web server" in block))
    (shop / "web-data.volume").write_text(next(block for block in BLOCKS if block == "[Volume]"))
    podpy.ok("create", "--name=web", "--network=none", busybox, "true")
    podpy.ok("pod", "create", "--network=none", "shop")
    podpy.ok("create", "--pod=shop", "--name=till", busybox, "true")
    os.chmod(podpy.home, 0o777)
    assert len(COMMANDS) >= 9
    for command in COMMANDS:
        if command.startswith(("podpy quadlet install", "podpy quadlet rm")):  # this machine may have no user's manager
            command += " --reload-systemd=false"
        program = command.split()[0]
        line = command.replace(program, shlex.quote(str(podpy.launcher.parent / program)), 1)
        done = podpy.run(["sh", "-c", f"cd {shlex.quote(str(podpy.home))} && {line}"]).ok()
        if command == "podpy quadlet list":
            assert [row.split()[0] for row in done.splitlines()[1:]] == ["web-data.volume", "web.container"]
        if "print --unit" in command:
            assert "Requires=web-data-volume.service" in done
    assert podpy.ok("quadlet", "list", "--noheading") == ""
    for name in ("web.container", "shop.quadlets"):  # what the page's generators have written
        assert podpy.ok("quadlet", "verify", str(podpy.home / name)) == ""


def test_a_mistake_is_told_as_on_the_page(podpy: Podpy) -> None:
    shown = next(block for block in BLOCKS if "did you mean" in block)
    file = next(block for block in BLOCKS if "Description=A web server" in block)
    (podpy.home / "web.container").write_text(file.replace("Volume=", "PublishPorts=8080:80\nVolume="))
    told = podpy.run(
        ["sh", "-c", f"cd {shlex.quote(str(podpy.home))} && {podpy.launcher} quadlet verify web.container"]
    )
    assert told.returncode == 1
    assert f"{podpy.home}/{shown}" in told.stdout + told.stderr


def test_several_files_in_one_are_those_of_the_page(podpy: Podpy) -> None:
    shop = podpy.home / "shop.quadlets"
    shop.write_text(next(block for block in BLOCKS if block.startswith("# FileName=")) + "\n")
    podpy.ok("quadlet", "install", "--reload-systemd=false", str(shop))
    assert podpy.ok("quadlet", "list", "--format", "{{.Name}}").split() == ["data.volume", "web.container"]
