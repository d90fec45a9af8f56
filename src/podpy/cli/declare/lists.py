"""The commands about manifest lists and artifacts."""

from __future__ import annotations

from podpy.cli.declare.common import AUTHFILE, CERT_DIR, CREDS, PROGRESS, TLS_VERIFY, template_format
from podpy.cli.declare.model import (
    ARTIFACTS,
    FILES,
    IMAGES,
    Argument,
    Command,
    count,
    flag,
    listed,
    many,
    number,
    text,
)

_ONE_ARTIFACT = Argument(name="artifact", metavar="ARTIFACT", complete=ARTIFACTS)
_LIST = Argument(name="list", metavar="LIST", complete=IMAGES)

_INSECURE = flag("--insecure", "The same as --tls-verify=false", hidden=True)

_DIGESTFILE = text("--digestfile", "FILE", "Write the manifest's digest into this file", complete=FILES)
_RETRY = (
    count("--retry", "N", "How often to try again", default=3),
    text("--retry-delay", "DURATION", "How long to wait before trying again"),
)
_UNSIGNED = "podpy makes no signatures yet: sign what was pushed with skopeo or cosign"
_SIGNING = (
    text("--sign-by", "KEY", "Sign with this GPG key", refuse=_UNSIGNED),
    text("--sign-by-sigstore", "FILE", "Sign as this file says", refuse=_UNSIGNED),
    text("--sign-by-sigstore-private-key", "FILE", "Sign with this key", refuse=_UNSIGNED),
    text("--sign-by-sq-fingerprint", "FINGERPRINT", "Sign with this key of Sequoia's", refuse=_UNSIGNED),
    text("--sign-passphrase-file", "FILE", "Passphrase of the key", refuse=_UNSIGNED),
)

_ANNOTATION = many("--annotation", "KEY=VALUE", "Annotation of the entry (repeatable)")
_PLATFORM = (
    text("--arch", "ARCH", "Architecture that the entry is for"),
    listed("--features", "FEATURE", "Features that it needs (Docker's format only)"),
    text("--os", "OS", "Operating system that it is for"),
    listed("--os-features", "FEATURE", "Features of the operating system that it needs"),
    text("--os-version", "VERSION", "Version of the operating system that it is for"),
    text("--variant", "VARIANT", "Variant of the architecture"),
)
_ARTIFACT = (
    flag("--artifact", "Make an artifact of files, and add that"),
    text("--artifact-config", "FILE", "The artifact's configuration", complete=FILES),
    text("--artifact-config-type", "TYPE", "Media type of the artifact's configuration"),
    flag("--artifact-exclude-titles", "Don't note the files' names"),
    text("--artifact-layer-type", "TYPE", "Media type of the files (default: guessed)"),
    text("--artifact-subject", "IMAGE", "Image that the artifact belongs to"),
    text("--artifact-type", "TYPE", "Type of the artifact"),
)

COMMANDS: tuple[Command, ...] = (
    Command(
        path="manifest create",
        handler="podpy.cli.commands.lists.manifest:create",
        help="Make a manifest list",
        examples=("podpy manifest create localhost/app:1 localhost/app:amd64 localhost/app:arm64",),
        arguments=(_LIST, Argument(name="images", metavar="IMAGE", required=False, many=True, complete=IMAGES)),
        options=(
            flag("--all", "Of an IMAGE that is a list, all entries"),
            flag("--amend -a", "Change the list if it exists"),
            many("--annotation", "KEY=VALUE", "Annotation of the list (repeatable)"),
            TLS_VERIFY,
            _INSECURE,
        ),
    ),
    Command(
        path="manifest add",
        handler="podpy.cli.commands.lists.manifest:add",
        help="Add images, or an artifact made of files, to a manifest list",
        examples=(
            "podpy manifest add localhost/app:1 localhost/app:riscv64",
            "podpy manifest add --all localhost/app:1 docker://docker.io/library/alpine",
        ),
        arguments=(_LIST, Argument(name="images", metavar="IMAGE|FILE", many=True, complete=IMAGES)),
        options=(
            flag("--all", "Of an IMAGE that is a list, all entries"),
            _ANNOTATION,
            *_PLATFORM,
            *_ARTIFACT,
            AUTHFILE,
            CREDS,
            CERT_DIR,
            TLS_VERIFY,
            _INSECURE,
        ),
    ),
    Command(
        path="manifest annotate",
        handler="podpy.cli.commands.lists.manifest:annotate",
        help="Change what a manifest list says about an entry, or about itself",
        examples=("podpy manifest annotate --arch arm64 --variant v8 localhost/app:1 localhost/app:arm64",),
        arguments=(_LIST, Argument(name="entry", metavar="DIGEST|IMAGE|FILE", required=False, complete=IMAGES)),
        options=(
            _ANNOTATION,
            *_PLATFORM,
            flag("--index", "The list itself, not an entry"),
            text("--subject", "IMAGE", "Image that the list belongs to"),
        ),
    ),
    Command(
        path="manifest inspect",
        handler="podpy.cli.commands.lists.manifest:inspect",
        help="Print a manifest list of the store, or of a registry",
        examples=(
            "podpy manifest inspect localhost/app:1",
            "podpy manifest inspect docker.io/library/alpine",
        ),
        arguments=(_LIST,),
        options=(
            AUTHFILE,
            TLS_VERIFY,
            _INSECURE,
            flag("--verbose -v", "Accepted for Docker's scripts; does nothing", hidden=True),
        ),
    ),
    Command(
        path="manifest push",
        handler="podpy.cli.commands.lists.manifest:push",
        help="Push a manifest list, and its images, to a registry",
        examples=("podpy manifest push localhost/app:1 registry.example.com/team/app:1",),
        arguments=(
            _LIST,
            Argument(name="destination", metavar="DESTINATION", required=False, complete=IMAGES),
        ),
        options=(
            listed("--add-compression", "FORMAT", "Add each image once more, compressed so: gzip or zstd"),
            flag("--all", "The list's images, too", default=True),
            AUTHFILE,
            CERT_DIR,
            text("--compression-format", "FORMAT", "Compress all layers so", choices=("gzip", "zstd", "zstd:chunked")),
            number("--compression-level", "LEVEL", "How hard to compress"),
            CREDS,
            _DIGESTFILE,
            flag("--force-compression", "Compress again what has another compression"),
            text("--format -f", "FORMAT", "Kind of list: oci or v2s2 (default: as the list is)"),
            _INSECURE,
            flag("--purge -p", "The same as --rm", hidden=True),
            PROGRESS,
            flag("--quiet -q", "Print nothing"),
            flag("--remove-signatures", "Push no signatures (the store keeps none)"),
            *_RETRY,
            flag("--rm", "Remove the list afterwards"),
            *_SIGNING,
            text("--signature-policy", "FILE", "policy.json to use", hidden=True),
            TLS_VERIFY,
        ),
    ),
    Command(
        path="manifest remove",
        handler="podpy.cli.commands.lists.manifest:remove",
        help="Take an entry out of a manifest list",
        examples=("podpy manifest remove localhost/app:1 localhost/app:riscv64",),
        arguments=(_LIST, Argument(name="digest", metavar="DIGEST")),
    ),
    Command(
        path="manifest rm",
        handler="podpy.cli.commands.lists.manifest:rm",
        help="Remove manifest lists",
        examples=("podpy manifest rm localhost/app:1",),
        arguments=(Argument(name="lists", metavar="LIST", many=True, complete=IMAGES),),
        options=(flag("--ignore -i", "A list that doesn't exist is no error"),),
    ),
    Command(
        path="manifest exists",
        handler="podpy.cli.commands.lists.manifest:exists",
        help="Tell by the exit code whether a manifest list exists",
        examples=("podpy manifest exists localhost/app:1 && echo yes",),
        arguments=(_LIST,),
    ),
    Command(
        path="artifact add",
        handler="podpy.cli.commands.lists.artifact:add",
        help="Make an artifact of files",
        examples=(
            "podpy artifact add localhost/models:1 weights.bin card.md",
            "podpy artifact add --type text/plain localhost/report:1 report.txt",
        ),
        arguments=(
            _ONE_ARTIFACT,
            Argument(name="files", metavar="FILE", many=True, complete=FILES),
        ),
        options=(
            many("--annotation", "KEY=VALUE", "Annotation of the artifact and its files (repeatable)"),
            flag("--append -a", "Add the files to an artifact that exists"),
            text("--file-type", "TYPE", "Media type of the files (default: guessed)"),
            flag("--replace", "Replace the artifact if it exists"),
            text("--type", "TYPE", "Type of the artifact"),
        ),
    ),
    Command(
        path="artifact extract",
        handler="podpy.cli.commands.lists.artifact:extract",
        help="Write an artifact's files to a file or directory",
        examples=(
            "podpy artifact extract localhost/models:1 ./models",
            "podpy artifact extract --title card.md localhost/models:1 card.md",
        ),
        arguments=(
            _ONE_ARTIFACT,
            Argument(name="target", metavar="PATH", complete=FILES),
        ),
        options=(
            text("--digest", "DIGEST", "Only the file with this digest"),
            text("--title", "TITLE", "Only the file with this title"),
        ),
    ),
    Command(
        path="artifact inspect",
        handler="podpy.cli.commands.lists.artifact:inspect",
        help="Print everything about an artifact",
        examples=("podpy artifact inspect localhost/models:1",),
        arguments=(_ONE_ARTIFACT,),
        options=(template_format(default="json"),),
    ),
    Command(
        path="artifact ls",
        aliases=("artifact list",),
        handler="podpy.cli.commands.lists.artifact:ls",
        help="List artifacts",
        examples=(
            "podpy artifact ls",
            "podpy artifact ls --format '{{.Repository}} {{.Size}}'",
        ),
        rule="none",
        options=(
            template_format("--format", what="each artifact"),
            flag("--noheading -n", "Leave the heading out"),
            flag("--no-trunc", "Whole digests"),
        ),
    ),
    Command(
        path="artifact pull",
        handler="podpy.cli.commands.lists.artifact:pull",
        help="Pull an artifact from a registry",
        examples=("podpy artifact pull registry.example.com/team/models:1",),
        arguments=(_ONE_ARTIFACT,),
        options=(
            AUTHFILE,
            CREDS,
            CERT_DIR,
            many("--decryption-key", "KEY", "Key for an encrypted artifact", refuse="podpy can't decrypt"),
            PROGRESS,
            flag("--quiet -q", "Print nothing"),
            *_RETRY,
            TLS_VERIFY,
        ),
    ),
    Command(
        path="artifact push",
        handler="podpy.cli.commands.lists.artifact:push",
        help="Push an artifact to its registry",
        examples=("podpy artifact push registry.example.com/team/models:1",),
        arguments=(_ONE_ARTIFACT,),
        options=(
            AUTHFILE,
            CREDS,
            CERT_DIR,
            _DIGESTFILE,
            PROGRESS,
            flag("--quiet -q", "Print nothing"),
            *_RETRY,
            *_SIGNING,
            text("--signature-policy", "FILE", "policy.json to use", hidden=True),
            TLS_VERIFY,
        ),
    ),
    Command(
        path="artifact rm",
        aliases=("artifact remove",),
        handler="podpy.cli.commands.lists.artifact:rm",
        help="Remove artifacts",
        examples=("podpy artifact rm localhost/models:1",),
        arguments=(Argument(name="artifacts", metavar="ARTIFACT", required=False, many=True, complete=ARTIFACTS),),
        options=(
            flag("--all -a", "Remove all artifacts"),
            flag("--ignore -i", "An artifact that doesn't exist is no error"),
        ),
    ),
)
