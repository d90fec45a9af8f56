"""What TAB offers."""

from __future__ import annotations

import subprocess

import pytest

from podpy.cli.parser.completion import complete
from podpy.cli.parser.completion_scripts import SCRIPTS
from tests.support.engine import Podpy


def words(*line: str) -> list[str]:
    return [text.partition("\t")[0] for text in complete(list(line))[0]]


def offered(podpy: Podpy, *line: str) -> list[str]:
    """Return what podpy answers to a shell, without the last line, which says that no file names fit."""
    *lines, directive = podpy.ok("__complete", *line).splitlines()
    assert directive == ":4"
    return lines


def test_commands_and_groups() -> None:
    assert words("star") == ["start"]
    assert {"run", "ps", "container", "image", "system"} <= set(words(""))
    assert "__complete" not in words("")
    assert {"exists", "ls", "prune"} <= set(words("container", ""))
    assert {"trust", "inspect"} <= set(words("image", ""))
    assert words("image", "trust", "") == ["set", "show"]  # a group in a group
    assert words("--log-level", "debug", "star") == ["start"]


def test_options_with_what_they_do() -> None:
    assert "--env-file" in words("run", "--env")
    assert "--publish-all\tPublish every exposed port on a free port" in complete(["run", "--publish"])[0]
    assert "--cpu-rt-period" not in words("run", "--cpu")  # refused ones aren't offered
    assert "--all" in words("container", "ls", "--")


def test_values_of_options() -> None:
    assert words("run", "--pull", "") == ["always", "missing", "never", "newer"]
    assert words("run", "--pull=n") == ["--pull=never", "--pull=newer"]
    assert words("ps", "--sort", "c") == ["command", "created"]
    assert complete(["load", "-i", ""]) == ([], 0)  # the shell's own file names
    assert complete(["run", "--rm", "--pid", ""])[1] == 4
    assert "SIGTERM" in words("kill", "-s", "SIGT")
    assert words("network", "create", "--driver", "m") == ["macvlan"]
    assert words("network", "create", "-o", "m") == ["mtu=", "metric=", "mode="]
    assert words("volume", "create", "--opt=d") == ["--opt=device="]
    assert words("completion", "") == ["bash", "zsh", "fish"]


def test_nothing_of_podpys_after_the_image() -> None:
    assert words("run", "busybox", "--") == []
    assert words("run", "--rm", "busybox", "ls", "-") == []


def test_names_of_containers_and_images(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "first", busybox, "true")
    podpy.ok("create", "--name", "second", busybox, "true")
    assert offered(podpy, "rm", "f") == [f"first\t{busybox}"]
    assert offered(podpy, "start", "") == [f"first\t{busybox}", f"second\t{busybox}"]
    assert offered(podpy, "stop", "") == []
    assert offered(podpy, "run", "--rm", "bus") == ["busybox:latest"]
    assert offered(podpy, "run", "--volumes-from", "sec") == [f"second\t{busybox}"]
    assert offered(podpy, "run", "--network", "pod") == ["podman"]
    podpy.ok("pod", "create", "--infra=false", "shop")
    assert offered(podpy, "pod", "start", "s") == offered(podpy, "run", "--pod", "s") == ["shop"]


def test_names_of_artifacts_and_lists(podpy: Podpy) -> None:
    podpy.ok("artifact", "add", "example.com/one:1", "/etc/hostname")
    podpy.ok("manifest", "create", "many")
    assert offered(podpy, "artifact", "rm", "ex") == ["example.com/one:1"]
    assert offered(podpy, "artifact", "inspect", "many") == []
    assert offered(podpy, "manifest", "push", "ma") == ["many:latest"]


def in_bash(podpy: Podpy, line: str, *, setup: str = "", program: str = "$1") -> list[str]:
    """Return what bash would offer for the line."""
    script = f"""
{setup}
source <("$1" completion bash)
COMP_WORDS=("{program}" {line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_podpy
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = podpy.run(["bash", "--norc", "-c", script, "bash", str(podpy.launcher)])
    return done.ok().split()


def test_bash_itself(podpy: Podpy) -> None:
    assert in_bash(podpy, "star") == ["start"]
    assert in_bash(podpy, "container exi") == ["exists"]
    assert "--pull" in in_bash(podpy, "run --pu")
    alias = 'PATH="${1%/*}:$PATH"; shopt -s expand_aliases; alias podman=podpy'
    assert in_bash(podpy, "container exi", setup=alias, program="podman") == ["exists"]
    assert in_bash(podpy, "secret ex", setup=alias, program="podman") == ["exists"]  # which Podman 4.3 doesn't know
    (podpy.home / "archive.tar").touch()
    assert in_bash(podpy, "load -i arch") == ["archive.tar"]


def test_podmans_own_script_works_with_an_alias(podpy: Podpy, busybox: str) -> None:
    """The script of a real Podman asks whatever `podman` is, in the protocol of cobra."""
    podpy.ok("create", "--name", "first", busybox, "true")
    script = """
shopt -s expand_aliases
alias podman="$1"
source <(/usr/bin/podman completion bash)
_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${COMP_WORDS[COMP_CWORD]}; prev=; }
_init_completion() { _get_comp_words_by_ref; }
COMP_WORDS=(podman rm fi); COMP_CWORD=2; COMP_LINE="podman rm fi"; COMP_TYPE=9
__start_podman
printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = podpy.run(["bash", "--norc", "-c", script, "bash", str(podpy.launcher)])
    assert done.ok().split() == ["first"]
    assert podpy.ok("__completeNoDesc", "rm", "fi").splitlines() == ["first", ":4"]


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_scripts(podpy: Podpy, shell: str) -> None:
    script = podpy.ok("completion", shell)
    assert "__complete" in script
    podpy("completion", "csh").fails(125, "there is no script for csh\nHint: Shells: bash, zsh, fish")


def test_the_bash_script_is_correct_bash() -> None:
    subprocess.run(["bash", "-n"], input=SCRIPTS["bash"], text=True, check=True)
