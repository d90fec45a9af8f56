"""The commands that send something to a registry."""

from __future__ import annotations

from podpy.cli.declare.common import AUTHFILE, CERT_DIR, CREDS, PROGRESS, TLS_VERIFY
from podpy.cli.declare.model import (
    FILES,
    IMAGES,
    Argument,
    Command,
    count,
    flag,
    many,
    number,
    text,
)

_PANEL = "Images"
_UNSIGNED = "podpy makes no signatures yet: sign what was pushed with skopeo or cosign"
_UNENCRYPTED = "podpy encrypts no images: skopeo copy --encryption-key does"

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
)
