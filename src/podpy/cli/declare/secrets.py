"""The commands about secrets."""

from __future__ import annotations

from podpy.cli.declare.common import template_format
from podpy.cli.declare.model import FILES, SECRETS, Argument, Command, flag, listed, many, text

GROUPS = {"secret": "Secrets"}

_SOME = Argument(name="secrets", metavar="SECRET", many=True, complete=SECRETS)

COMMANDS: tuple[Command, ...] = (
    Command(
        path="secret create",
        handler="podpy.cli.commands.system.secret:create",
        help="Keep a secret",
        description="Keep what a file, standard input (-) or, with --env, a variable of the environment holds.",
        examples=(
            "podpy secret create token ./token.txt",
            "podpy secret create token - < token.txt",
            "podpy secret create --env token TOKEN",
            "podpy secret create --replace token ./token.txt",
        ),
        arguments=(
            Argument(name="name", metavar="NAME"),
            Argument(name="source", metavar="FILE|-", complete=FILES),
        ),
        options=(
            text("--driver -d", "DRIVER", "What keeps it: file (containers.conf says another one), pass, shell"),
            listed("--driver-opts", "KEY=VALUE", "Option of the driver (repeatable)"),
            flag("--env", "FILE is the name of an environment variable"),
            flag("--ignore", "If there is a secret of this name, leave it and print its id"),
            many("--label -l", "KEY=VALUE", "Label (repeatable)"),
            flag("--replace", "If there is a secret of this name, replace it"),
        ),
    ),
    Command(
        path="secret ls",
        aliases=("secret list",),
        handler="podpy.cli.commands.system.secret:ls",
        help="List secrets",
        examples=("podpy secret ls", "podpy secret ls --filter name=token --format '{{.Name}} {{.Driver}}'"),
        rule="none",
        options=(
            many("--filter -f", "KEY=VALUE", "Only secrets whose name= or id= matches (repeatable)"),
            template_format("--format", what="each secret"),
            flag("--noheading -n", "Leave the heading out"),
            flag("--quiet -q", "Print ids only"),
        ),
    ),
    Command(
        path="secret inspect",
        handler="podpy.cli.commands.system.secret:inspect",
        help="Describe secrets",
        examples=(
            "podpy secret inspect token",
            "podpy secret inspect --showsecret --format '{{.SecretData}}' token",
        ),
        arguments=(_SOME,),
        options=(
            template_format(what="each secret"),
            flag("--pretty", "Print it for people"),
            flag("--showsecret", "Print what is secret, too"),
        ),
    ),
    Command(
        path="secret rm",
        handler="podpy.cli.commands.system.secret:rm",
        help="Remove secrets",
        description="Containers that use them run on, and can't be started again.",
        examples=("podpy secret rm token", "podpy secret rm --all"),
        arguments=(Argument(name="secrets", metavar="SECRET", required=False, many=True, complete=SECRETS),),
        options=(
            flag("--all -a", "Remove all secrets"),
            flag("--ignore -i", "A secret that isn't there is no error"),
        ),
    ),
    Command(
        path="secret exists",
        handler="podpy.cli.commands.system.secret:exists",
        help="Tell by the exit code whether there is a secret: 0 or 1",
        examples=("podpy secret exists token || podpy secret create token ./token.txt",),
        arguments=(Argument(name="secret", metavar="SECRET", complete=SECRETS),),
    ),
)
