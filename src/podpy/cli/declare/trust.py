"""`image trust`: the commands about policy.json."""

from __future__ import annotations

from podpy.cli.declare.model import DIRECTORIES, FILES, Argument, Command, Option, flag, many, text

GROUPS = {"image trust": "Which images may come in"}


def _policy_file(help: str) -> Option:
    return text("--signature-policy", "FILE", help, complete=FILES, aliases=("--policypath",))


COMMANDS: tuple[Command, ...] = (
    Command(
        path="image trust show",
        handler="podpy.cli.commands.images.trust:show",
        help="Show which images may come in",
        examples=(
            "podpy image trust show",
            "podpy image trust show --raw",
        ),
        arguments=(Argument(name="registry", metavar="REGISTRY", required=False),),
        options=(
            flag("--json -j", "Print JSON"),
            flag("--noheading -n", "Leave the heading out"),
            flag("--raw", "Print the policy file as it is"),
            text("--registrypath", "DIR", "registries.d to use", hidden=True, complete=DIRECTORIES),
            _policy_file("policy.json to show"),
        ),
    ),
    Command(
        path="image trust set",
        handler="podpy.cli.commands.images.trust:set_",
        help="Say which images of a registry may come in",
        examples=(
            "podpy image trust set --type reject default",
            "podpy image trust set --type signedBy -f ./key.gpg registry.example.com",
        ),
        arguments=(Argument(name="scope", metavar="REGISTRY[/REPOSITORY]"),),
        options=(
            many("--pubkeysfile -f", "FILE", "Public key that must have signed (repeatable: all)", complete=FILES),
            text(
                "--type -t",
                "TYPE",
                "What is demanded: accept, reject, signedBy or sigstoreSigned",
                default="signedBy",
            ),
            _policy_file("policy.json to change"),
        ),
    ),
)
