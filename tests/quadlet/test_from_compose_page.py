"""docs/from-compose.md: its commands do what it says, on the file that it shows."""

from __future__ import annotations

import os
import re
import shlex
from textwrap import dedent

from tests.support.engine import CHECKOUT, Podpy

PAGE = (CHECKOUT / "docs/from-compose.md").read_text()
BLOCKS = [dedent(block).strip("\n") for block in re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", PAGE, re.MULTILINE)]
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line.startswith(("podpy ", "systemctl "))]
UNITS = ["shop-data.volume", "shop-db.container", "shop-default.network", "shop-web.container"]


def test_every_command_of_the_page_works(podpy: Podpy) -> None:
    shop = podpy.home / "shop"
    shop.mkdir()
    (shop / "compose.yaml").write_text(next(block for block in BLOCKS if block.startswith("services:")))
    (shop / "password").write_text("open\n")
    os.chmod(shop, 0o777)
    assert len([command for command in COMMANDS if "from-compose" in command]) >= 3
    for command in COMMANDS:
        words = command.split()
        if words[0] == "systemctl":
            # This machine has no manager for the user: the unit is one of those that are installed.
            listed = podpy.ok("quadlet", "list", "--format", "{{.UnitName}}").split()
            assert words[-1] in listed
            continue
        if words[2] in ("install", "rm"):
            command = command.replace(words[2], f"{words[2]} --reload-systemd=false", 1)
        line = command.replace("podpy", shlex.quote(str(podpy.launcher)), 1)
        done = podpy.run(["sh", "-c", f"cd {shlex.quote(str(shop))} && {line}"]).ok()
        if command == "podpy quadlet list":
            assert [row.split()[0] for row in done.splitlines()[1:]] == UNITS
        if "--output-dir" in command:
            assert [path.split("/")[-1] for path in done.split()] == UNITS
    assert podpy.ok("quadlet", "list", "--format", "{{.Name}} {{.App}}").split("\n") == [
        f"{name} shop" for name in UNITS
    ]


def test_the_complaints_of_the_page_are_those_of_podpy(podpy: Podpy) -> None:
    path = podpy.home / "compose.yaml"
    text = "services:\n  web:\n    image: x\n#\n    deploy:\n#\n      replicas: 3\n#\n    develop: {watch: []}\n"
    path.write_text(text)
    told = podpy.run(["sh", "-c", f"cd {podpy.home} && {podpy.launcher} quadlet from-compose"]).stderr
    shown = next(block for block in BLOCKS if "replicas: a unit" in block)
    for line in shown.splitlines():
        assert line.partition(" …")[0] in told
