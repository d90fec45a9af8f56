"""What TAB offers."""

from __future__ import annotations

import subprocess

import pytest

from podpy.cli.parser.completion import complete
from podpy.cli.parser.completion_scripts import SCRIPTS
from tests.support.engine import Podpy


def words(*line: str) -> list[str]:
    return [text.partition("\t")[0] for text in complete(list(line))]


def test_commands_and_groups() -> None:
    assert words("sta") == ["start"]
    assert {"run", "ps", "container", "image", "system"} <= set(words(""))
    assert "__complete" not in words("")
    assert {"exists", "ls", "prune"} <= set(words("container", ""))
    assert {"trust", "inspect"} <= set(words("image", ""))
    assert words("image", "trust", "") == ["set", "show"]  # a group in a group
    assert words("--log-level", "debug", "sta") == ["start"]


def test_options_with_what_they_do() -> None:
    assert "--env-file" in words("run", "--env")
    assert "--publish-all\tPublish every exposed port on a free port" in complete(["run", "--publish"])
    assert "--pod" not in words("run", "--po")  # refused ones aren't offered
    assert "--all" in words("container", "ls", "--")


def test_values_of_options() -> None:
    assert words("run", "--pull", "") == ["always", "missing", "never", "newer"]
    assert words("run", "--pull=n") == ["--pull=never", "--pull=newer"]
    assert words("ps", "--sort", "c") == ["command", "created"]
    assert words("load", "-i", "") == [":files"]
    assert "SIGTERM" in words("kill", "-s", "SIGT")
    assert words("completion", "") == ["bash", "zsh", "fish"]


def test_nothing_of_podpys_after_the_image() -> None:
    assert words("run", "busybox", "--") == []
    assert words("run", "--rm", "busybox", "ls", "-") == []


def test_names_of_containers_and_images(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "first", busybox, "true")
    podpy.ok("create", "--name", "second", busybox, "true")
    assert podpy.ok("__complete", "rm", "f") == f"first\t{busybox}"
    assert podpy.ok("__complete", "start", "").splitlines() == [f"first\t{busybox}", f"second\t{busybox}"]
    assert podpy.ok("__complete", "stop", "") == ""
    assert podpy.ok("__complete", "run", "--rm", "bus").splitlines() == ["busybox:latest"]
    assert podpy.ok("__complete", "run", "--volumes-from", "sec") == f"second\t{busybox}"


def test_names_of_artifacts_and_lists(podpy: Podpy) -> None:
    podpy.ok("artifact", "add", "example.com/one:1", "/etc/hostname")
    podpy.ok("manifest", "create", "many")
    assert podpy.ok("__complete", "artifact", "rm", "ex") == "example.com/one:1"
    assert podpy.ok("__complete", "artifact", "inspect", "many") == ""
    assert podpy.ok("__complete", "manifest", "push", "ma") == "many:latest"


def in_bash(podpy: Podpy, line: str) -> list[str]:
    """Return what bash would offer for the line."""
    script = f"""
source <("$1" completion bash)
COMP_WORDS=("$1" {line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_podpy
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = podpy.run(["bash", "--norc", "-c", script, "bash", str(podpy.launcher)])
    return done.ok().split()


def test_bash_itself(podpy: Podpy) -> None:
    assert in_bash(podpy, "sta") == ["start"]
    assert in_bash(podpy, "container exi") == ["exists"]
    assert "--pull" in in_bash(podpy, "run --pu")
    (podpy.home / "archive.tar").touch()
    assert in_bash(podpy, "load -i arch") == ["archive.tar"]


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_scripts(podpy: Podpy, shell: str) -> None:
    script = podpy.ok("completion", shell)
    assert "__complete" in script
    podpy("completion", "csh").fails(125, "there is no script for csh\nHint: Shells: bash, zsh, fish")


def test_the_bash_script_is_correct_bash() -> None:
    subprocess.run(["bash", "-n"], input=SCRIPTS["bash"], text=True, check=True)
