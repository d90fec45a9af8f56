"""`podpy --help`, `podpy X --help`, `podpy help X`: what they say. What they load is in test_import_budget.py."""

from __future__ import annotations

import shlex

import pytest

from podpy.cli import declare
from podpy.cli.parser import tables
from podpy.cli.parser.parse import parse
from podpy.cli.show.help_pages import pages, split_example
from tests.support.engine import Podpy

PAGES = pages()
TABLE = tables.from_declarations()
EXAMPLES = [(command.path, example) for command in declare.COMMANDS for example in command.examples]


def test_podpys_own_page(podpy: Podpy) -> None:
    page = podpy.ok("--help") + "\n"
    assert page == PAGES[""]
    headings = [line for line in page.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        "Examples:",
        "Containers:",
        "Images:",
        "System:",
        "Observing:",
        "Groups of commands:",
        "Global options:",
    ]
    assert page.startswith("Usage: podpy [OPTIONS] COMMAND\n\nA container engine")
    assert podpy.ok("help") + "\n" == page


def test_a_commands_page(podpy: Podpy) -> None:
    page = podpy.ok("run", "--help") + "\n"
    assert page == PAGES["run"]
    assert page.startswith("Usage: podpy run [OPTIONS] IMAGE [COMMAND [ARG…]]\n\nRun a command in a new container.\n")
    assert page.index("Examples:") < page.index("--publish-all") < page.index("Global options")
    assert "  -e, --env KEY[=VALUE]  " in page
    assert (
        "File mode mask, octal [default: 0022]\n" in page and "[default: []" not in page and "[default: ()" not in page
    )
    assert podpy.ok("help", "run") + "\n" == podpy.ok("container", "run", "--help") + "\n" == page


def test_a_groups_page(podpy: Podpy) -> None:
    page = podpy.ok("image", "--help") + "\n"
    assert page == PAGES["image"]
    for word in ("pull", "ls", "trust"):
        assert f"\n  {word} " in page
    assert "podpy image trust set" in podpy.ok("help", "image", "trust", "set")


def test_without_a_command_the_help_is_printed_and_it_is_an_error_nevertheless(podpy: Podpy) -> None:
    for words in ((), ("image",), ("image", "trust")):
        path = " ".join(words)
        done = podpy(*words).fails(125)
        assert (done.stdout, done.stderr) == (
            PAGES[path],
            f"Error: missing command 'podpy {path + ' ' * bool(path)}COMMAND'\n",
        )


def test_help_about_what_is_no_command(podpy: Podpy) -> None:
    podpy("help", "strat").fails(125, "Error: unrecognized command `podpy strat`\n", "Did you mean this?\n\tstart\n")


def test_pages_fit_on_a_terminal() -> None:
    for path, page in PAGES.items():
        long = [line for line in page.splitlines() if len(line) > 100 and not line.startswith("  podpy ")]
        assert not long, path


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=lambda text: str(text)[:50])
def test_examples_are_command_lines_that_podpy_understands(path: str, example: str) -> None:
    line, purpose = split_example(example)
    words = shlex.split(line)
    for operator in ("<", ">", "|", "&&", "||"):
        if operator in words:
            words = words[: words.index(operator)]
    assert words[0] == "podpy"
    options, _row = parse(words[1:], TABLE)
    assert options.path == path or (options.path == "unshare" and f"podpy {path} " in example)
    assert not purpose.endswith(".")
