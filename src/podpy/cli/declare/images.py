"""The commands about images."""

from __future__ import annotations

from podpy.cli.declare.common import dry_run, template_format
from podpy.cli.declare.model import (
    DIRECTORIES,
    FILES,
    IMAGES,
    SWITCH,
    Argument,
    Command,
    Option,
    count,
    flag,
    listed,
    many,
    number,
    text,
)

_PANEL = "Images"
_LATER = "it comes with a later version"
_INSTRUCTIONS = "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR"
_SORT = ("created", "id", "repository", "size", "tag")

_PROGRESS = text(
    "--progress",
    "STYLE",
    "auto: bars on a terminal, else lines; plain: lines; json: events for programs, on standard output",
    default="auto",
    choices=("auto", "plain", "json"),
)

_IMAGE = Argument(name="image", metavar="IMAGE", complete=IMAGES)
_SOME_IMAGES = Argument(name="images", metavar="IMAGE", many=True, complete=IMAGES)

COMMANDS: tuple[Command, ...] = (
    Command(
        path="pull",
        aliases=("image pull",),
        handler="podpy.cli.commands.images:pull",
        panel=_PANEL,
        help="Pull images from a registry or an archive",
        arguments=(_SOME_IMAGES,),
        options=(
            flag("--all-tags -a", "Every tag of the repository"),
            text("--platform", "OS/ARCH[/VARIANT]", "Platform of the image"),
            text("--arch", "ARCH", "Architecture of the image", aliases=("--override-arch",)),
            text("--os", "OS", "Operating system of the image", aliases=("--override-os",)),
            text("--variant", "VARIANT", "Variant of the architecture", aliases=("--override-variant",)),
            text(
                "--policy", "POLICY", "When to pull", default="always", choices=("always", "missing", "never", "newer")
            ),
            flag("--quiet -q", "Print only the image's id"),
            _PROGRESS,
            text("--authfile", "FILE", "File with credentials", complete=FILES, env="REGISTRY_AUTH_FILE"),
            text("--creds", "USER[:PASSWORD]", "Credentials for the registry"),
            text("--cert-dir", "DIR", "Directory with TLS certificates", complete=DIRECTORIES),
            Option(names=("--tls-verify",), kind=SWITCH, help="Insist on verified HTTPS"),
            count("--retry", "N", "How often to try again", default=3),
            text("--retry-delay", "DURATION", "How long to wait before trying again"),
            many("--decryption-key", "KEY", "Key for an encrypted image", refuse=_LATER),
            text("--signature-policy", "FILE", "policy.json to use", hidden=True),
            flag("--disable-content-trust", "Accepted for Docker's scripts; does nothing", hidden=True),
        ),
    ),
    Command(
        path="load",
        aliases=("image load",),
        handler="podpy.cli.commands.images:load",
        panel=_PANEL,
        help="Load images from an archive",
        rule="none",
        options=(
            text("--input -i", "FILE", "Archive or OCI directory (default: standard input)", complete=FILES),
            flag("--quiet -q", "Print nothing"),
            text("--signature-policy", "FILE", "policy.json to use", hidden=True),
        ),
    ),
    Command(
        path="import",
        aliases=("image import",),
        handler="podpy.cli.commands.import_image:import_image",
        panel=_PANEL,
        help="Make an image of a tar of a root file system",
        arguments=(
            Argument(name="path_or_url", metavar="PATH", complete=FILES, help="File, http(s) address, or - (stdin)"),
            Argument(name="reference", metavar="REFERENCE", required=False),
        ),
        options=(
            many("--change -c", "INSTRUCTION", f"Set this in the image's configuration (repeatable): {_INSTRUCTIONS}"),
            text("--message -m", "TEXT", "Comment in the image's history"),
            text("--arch", "ARCH", "Architecture of the image"),
            text("--os", "OS", "Operating system of the image"),
            text("--variant", "VARIANT", "Variant of the architecture"),
            flag("--quiet -q", "Print only the image's id"),
            _PROGRESS,
            text("--signature-policy", "FILE", "policy.json to use", hidden=True),
        ),
    ),
    Command(
        path="search",
        aliases=("image search",),
        handler="podpy.cli.commands.search:search",
        panel=_PANEL,
        help="Look for images in registries",
        arguments=(Argument(name="term", metavar="[REGISTRY/]TERM"),),
        options=(
            listed("--filter -f", "KEY=VALUE", "Only images for which this is true: stars, is-official, is-automated"),
            template_format("--format", what="each image"),
            number("--limit", "N", "At most so many of each registry (default 25)"),
            flag("--list-tags", "The tags of the repository TERM"),
            flag("--no-trunc", "Cut nothing off"),
            flag("--compatible", "Stars, official and automated, too"),
            text("--authfile", "FILE", "File with credentials", complete=FILES, env="REGISTRY_AUTH_FILE"),
            text("--cert-dir", "DIR", "Directory with TLS certificates", complete=DIRECTORIES),
            text("--creds", "USER[:PASSWORD]", "Credentials for the registry"),
            Option(names=("--tls-verify",), kind=SWITCH, help="Insist on verified HTTPS"),
        ),
    ),
    Command(
        path="save",
        aliases=("image save",),
        handler="podpy.cli.commands.image_save:save",
        panel=_PANEL,
        help="Save images to an archive or a directory",
        arguments=(_SOME_IMAGES,),
        options=(
            flag("--compress", "Compress layers that are kept uncompressed (docker-dir only)"),
            text("--format", "FORMAT", "oci-archive, oci-dir, docker-archive or docker-dir", default="docker-archive"),
            flag(
                "--multi-image-archive -m",
                "More names are more images, not more names of one (docker-archive only; containers.conf: "
                "multi_image_archive)",
            ),
            text("--output -o", "FILE", "File or directory (default: standard output)", complete=FILES),
            flag("--quiet -q", "Print nothing"),
            text("--signature-policy", "FILE", "Accepted for Podman's scripts; does nothing", hidden=True),
            flag("--uncompressed", "Leave layers of OCI images uncompressed that no compressed form is kept of"),
        ),
    ),
    Command(
        path="images",
        aliases=("image ls", "image list"),
        handler="podpy.cli.commands.image_list:images",
        panel=_PANEL,
        help="List images",
        options=(
            flag("--all -a", "Intermediate images, too"),
            many("--filter -f", "KEY=VALUE", "Only images for which this is true (repeatable)"),
            template_format("--format", what="each image"),
            flag("--digests", "And digests"),
            flag("--noheading -n", "Leave the heading out"),
            flag("--no-trunc", "Cut nothing off", aliases=("--notruncate",)),
            flag("--quiet -q", "Only ids"),
            flag("--history", "Former names, too"),
            text("--sort", "FIELD", "Sort by this", default="created", choices=_SORT),
        ),
        arguments=(Argument(name="image", metavar="IMAGE", required=False, complete=IMAGES),),
    ),
    Command(
        path="rmi",
        aliases=("image rm",),
        handler="podpy.cli.commands.image_changes:rmi",
        panel=_PANEL,
        help="Remove images",
        rule="images",
        options=(
            flag("--all -a", "Remove all images"),
            flag("--force -f", "Containers that use it, too"),
            flag("--ignore -i", "An image that doesn't exist is no error"),
            flag("--no-prune", "Keep untagged parents"),
        ),
        arguments=(Argument(name="images", metavar="IMAGE", required=False, many=True, complete=IMAGES),),
    ),
    Command(
        path="tag",
        aliases=("image tag",),
        handler="podpy.cli.commands.image_changes:tag",
        panel=_PANEL,
        help="Give an image more names",
        arguments=(_IMAGE, Argument(name="names", metavar="NAME", many=True)),
    ),
    Command(
        path="untag",
        aliases=("image untag",),
        handler="podpy.cli.commands.image_changes:untag",
        panel=_PANEL,
        help="Take names from an image",
        arguments=(_IMAGE, Argument(name="names", metavar="NAME", required=False, many=True)),
    ),
    Command(
        path="image inspect",
        handler="podpy.cli.commands.images:inspect",
        help="Print everything about images",
        options=(template_format(default="json"),),
        arguments=(_SOME_IMAGES,),
    ),
    Command(
        path="image exists",
        handler="podpy.cli.commands.images:exists",
        help="Tell by the exit code whether an image exists",
        arguments=(_IMAGE,),
    ),
    Command(
        path="history",
        aliases=("image history",),
        handler="podpy.cli.commands.image_list:history",
        panel=_PANEL,
        help="Show how an image was made",
        arguments=(_IMAGE,),
        options=(
            template_format("--format", what="each step"),
            flag("--human -H", "Sizes and dates for people", default=True),
            flag("--no-trunc", "Cut nothing off", aliases=("--notruncate",)),
            flag("--quiet -q", "Only ids"),
        ),
    ),
    Command(
        path="image tree",
        handler="podpy.cli.commands.image_list:tree",
        help="Show an image's layers",
        arguments=(_IMAGE,),
        options=(flag("--whatrequires", "Images that are built on it", refuse=_LATER),),
    ),
    Command(
        path="image prune",
        handler="podpy.cli.commands.prune:images",
        help="Remove images that nothing uses",
        rule="none",
        options=(
            flag("--all -a", "Images with names, too, if no container uses them"),
            flag("--build-cache", "The cache of builds, too (podpy has none yet)"),
            flag("--external", "Images that only containers of other tools use, too (podpy knows none)"),
            many("--filter", "KEY=VALUE", "Only images for which this is true (repeatable)"),
            flag("--force -f", "Don't ask"),
            dry_run(),
        ),
    ),
    Command(
        path="login",
        handler="podpy.cli.commands.login:login",
        panel=_PANEL,
        help="Log in to a registry",
        arguments=(Argument(name="registry", metavar="REGISTRY", required=False),),
        options=(
            text("--authfile", "FILE", "File with credentials", complete=FILES, env="REGISTRY_AUTH_FILE"),
            text("--cert-dir", "DIR", "Directory with TLS certificates", complete=DIRECTORIES),
            flag("--get-login", "Print who is logged in"),
            text("--password -p", "PASSWORD", "Password (others can see it: better --password-stdin)"),
            flag("--password-stdin", "Read the password from standard input"),
            Option(names=("--tls-verify",), kind=SWITCH, help="Insist on verified HTTPS"),
            text("--username -u", "USER", "User's name"),
            flag("--verbose -v", "Accepted for Podman's scripts; does nothing", hidden=True),
        ),
    ),
    Command(
        path="logout",
        handler="podpy.cli.commands.login:logout",
        panel=_PANEL,
        help="Forget the credentials for a registry",
        arguments=(Argument(name="registry", metavar="REGISTRY", required=False),),
        options=(
            flag("--all -a", "For all registries"),
            text("--authfile", "FILE", "File with credentials", complete=FILES, env="REGISTRY_AUTH_FILE"),
        ),
    ),
)
