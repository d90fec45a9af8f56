"""The commands that send something to a registry, and those about policy.json: which images may come in."""

from __future__ import annotations

from podpy.cli.declare.common import AUTHFILE, CERT_DIR, CREDS, PROGRESS, TLS_VERIFY
from podpy.cli.declare.model import (
    DIRECTORIES,
    FILES,
    IMAGES,
    Argument,
    Command,
    Option,
    count,
    flag,
    many,
    number,
    text,
)

_PANEL = "Images"
_UNSIGNED = "podpy makes no signatures yet: sign what was pushed with skopeo or cosign"
_UNENCRYPTED = "podpy encrypts no images: skopeo copy --encryption-key does"

GROUPS = {"image trust": "Which images may come in"}


def _policy_file(help: str) -> Option:
    return text("--signature-policy", "FILE", help, complete=FILES, aliases=("--policypath",))


COMMANDS: tuple[Command, ...] = (
    Command(
        path="push",
        aliases=("image push",),
        handler="podpy.cli.commands.images.push:push",
        panel=_PANEL,
        help="Push an image to a registry, an archive or a directory",
        examples=(
            "podpy push localhost/base:1 registry.example.com/team/base:1",
            "podpy push localhost/base:1 oci-archive:base.tar",
        ),
        arguments=(
            Argument(name="image", metavar="IMAGE", complete=IMAGES),
            Argument(name="destination", metavar="DESTINATION", required=False, complete=IMAGES),
        ),
        options=(
            AUTHFILE,
            CERT_DIR,
            flag("--compress", "Compress layers (dir: only)"),
            text(
                "--compression-format",
                "FORMAT",
                "Compress all layers again, unless they are of this kind",
                choices=("gzip", "zstd", "zstd:chunked"),
            ),
            number("--compression-level", "LEVEL", "How hard to compress"),
            CREDS,
            text("--digestfile", "FILE", "Write the manifest's digest into this file", complete=FILES),
            flag("--disable-content-trust", "Accepted for Docker's scripts; does nothing", hidden=True),
            many("--encrypt-layer", "INDEX", "Layer to encrypt", refuse=_UNENCRYPTED),
            many("--encryption-key", "KEY", "Key to encrypt with", refuse=_UNENCRYPTED),
            flag("--force-compression", "Compress again what has another compression"),
            text("--format -f", "FORMAT", "Kind of manifest: oci or v2s2 (default: as the image's)"),
            text("--platform", "OS/ARCH[/VARIANT]", "Of a manifest list, push its image for this platform alone"),
            PROGRESS,
            flag("--quiet -q", "Print nothing"),
            flag("--remove-signatures", "Push no signatures (the store keeps none)"),
            count("--retry", "N", "How often to try again", default=3),
            text("--retry-delay", "DURATION", "How long to wait before trying again"),
            text("--sign-by", "KEY", "Sign with this GPG key", refuse=_UNSIGNED),
            text("--sign-by-sigstore", "FILE", "Sign as this file says", refuse=_UNSIGNED),
            text("--sign-by-sigstore-private-key", "FILE", "Sign with this key", refuse=_UNSIGNED),
            text("--sign-by-sq-fingerprint", "FINGERPRINT", "Sign with this key of Sequoia's", refuse=_UNSIGNED),
            text("--sign-passphrase-file", "FILE", "Passphrase of the key", refuse=_UNSIGNED),
            text("--signature-policy", "FILE", "policy.json to use", hidden=True),
            TLS_VERIFY,
        ),
    ),
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
