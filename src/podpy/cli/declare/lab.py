"""`lab`: what a container is made of, step by step."""

from __future__ import annotations

from podpy.cli.declare.model import Argument, Command, flag, text

COMMANDS: tuple[Command, ...] = (
    Command(
        path="lab",
        handler="podpy.cli.commands.system.lab:run",
        panel="System",
        help="Learn how containers work, step by step",
        description=(
            "Each step says something, shows a command, runs it on Enter, and tells what to see in its output. All "
            "that a lab makes is removed at its end, also after Ctrl-C. Its image is made from this machine's own "
            "programs: no registry is needed. A step that this machine can't do says why."
        ),
        examples=(
            "podpy lab list",
            "podpy lab namespaces",
            "podpy lab layers --yes  # without waiting for Enter",
            "podpy lab userns --lang fr --yes",
        ),
        options=(
            flag("--yes -y", "Run all commands without waiting for Enter"),
            text("--lang", "LANGUAGE", "The texts' language; by default the environment's", choices=("en", "fr")),
        ),
        arguments=(
            Argument(
                name="name",
                metavar="LAB",
                required=False,
                help="`list` (the default), `all`, or a lab's name",
                complete=(
                    "list|all|namespaces|userns|capabilities|seccomp|cgroups|oom|layers|network|conmon|owner|oci|pods|"
                    "docker-vs-podman"
                ),
            ),
        ),
    ),
)
