"""What the documents name exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.engine import CHECKOUT

DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")])
NAMES = [str(path.relative_to(CHECKOUT)) for path in DOCUMENTS]
_LINK = re.compile(r"\]\(([^)#\s]+)")
_SCRIPT = re.compile(r"^ {4}(?:\$ )?((?:scripts|\.ci|bench)/\S+)", re.MULTILINE)
_PODPY = re.compile(r"^ {4}(?:\$ )?podpy ([a-z]+)", re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    document = CHECKOUT / name
    targets = [target for target in _LINK.findall(document.read_text()) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_scripts_that_a_document_tells_to_run_exist(name: str) -> None:
    scripts = _SCRIPT.findall((CHECKOUT / name).read_text())
    assert [script for script in scripts if not (CHECKOUT / script).exists()] == []


def test_commands_in_the_readme_are_commands_of_podpy(launcher: Path) -> None:
    text = (CHECKOUT / "README.md").read_text()
    commands = sorted(set(_PODPY.findall(text)))
    assert commands
    for command in commands:
        done = subprocess.run([launcher, command, "--help"], capture_output=True, text=True)
        assert done.returncode == 0, f"podpy {command} --help: {done.stderr}"
