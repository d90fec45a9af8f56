"""docs/reference says what the declarations say, and so does --help."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from podpy.cli import declare
from podpy.cli.declare.model import Command
from podpy.cli.show.help_pages import pages, split_example
from tests.support.engine import CHECKOUT

PAGES = pages()
SHOWN = [command for command in declare.COMMANDS if not command.hidden]


def test_the_pages_are_what_the_declarations_say() -> None:
    script = CHECKOUT / "scripts/reference.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", SHOWN, ids=lambda command: command.path)
def test_a_page_and_the_help_have_the_same_options_and_examples(command: Command) -> None:
    text = PAGES[command.path]
    page = (CHECKOUT / f"docs/reference/podpy-{command.path.replace(' ', '-')}.md").read_text()
    in_page = set(re.findall(r"^- `(--[a-z0-9-]+)`(?!.*Refused:)", page, re.MULTILINE))
    in_help = set(re.findall(r"^  (?:    |-\w, )(--[a-z0-9-]+)", text, re.MULTILINE))
    assert in_help == in_page
    assert command.help in text
    assert command.examples
    for line, _purpose in map(split_example, command.examples):
        assert f"  {line}" in text
        assert f"    {line}" in page


def test_every_command_has_a_handler_that_exists() -> None:
    for command in declare.COMMANDS:
        if command.refuse:
            continue
        module, _, function = command.handler.partition(":")
        __import__(module)
        assert callable(getattr(sys.modules[module], function)), command.path


def test_every_command_and_option_is_declared_once() -> None:
    paths = [path for command in declare.COMMANDS for path in (command.path, *command.aliases)]
    assert len(paths) == len(set(paths))
    for command in declare.COMMANDS:
        names = [name for option in command.options for name in (*option.names, *option.aliases)]
        assert len(names) == len(set(names)), command.path
        attributes = [o.attribute for o in command.options] + [a.name for a in command.arguments]
        assert len(attributes) == len(set(attributes)), command.path


def test_help_is_a_sentence_without_its_full_stop() -> None:
    for command in declare.COMMANDS:
        for option in command.options:
            assert option.help, f"{command.path} {option.names[0]}"
            assert not option.help.endswith("."), f"{command.path} {option.names[0]}"
