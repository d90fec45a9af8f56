"""The commands about volumes."""

from __future__ import annotations

from podpy.cli.declare.common import template_format
from podpy.cli.declare.model import FILES, VOLUMES, Argument, Command, count, flag, many, number, text

GROUPS = {"volume": "Volumes"}

_ONE = Argument(name="volume", metavar="VOLUME", complete=VOLUMES)
_SOME = Argument(name="volumes", metavar="VOLUME", required=False, many=True, complete=VOLUMES)
_FILTER = many("--filter", "KEY=VALUE", "Only volumes for which this is true (repeatable)")

COMMANDS: tuple[Command, ...] = (
    Command(
        path="volume create",
        handler="podpy.cli.commands.volumes.volume:create",
        help="Make a volume",
        description=(
            "Without a name it gets 64 random hex digits. `-v NAME:/DIR` makes a volume, too, when it is first named; "
            "this command gives it labels, an owner, or something that is mounted while a container uses it."
        ),
        examples=(
            "podpy volume create data",
            "podpy volume create --label app=shop --ignore data",
            "podpy volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=64m,nodev cache",
            "podpy volume create --opt type=none --opt o=bind --opt device=/srv/data data",
            "podpy volume create --driver image --opt image=alpine files",
        ),
        options=(
            text("--driver -d", "NAME", "Driver: local, or image", default="local", complete="local|image"),
            count("--gid", "GID", "Group that owns it"),
            flag("--ignore", "A volume that has the name already is no error"),
            many("--label -l", "KEY=VALUE", "Label (repeatable)"),
            many(
                "--opt -o",
                "KEY=VALUE",
                "Option of the driver: type, device, o, copy, nocopy; image (repeatable)",
                complete="type=|device=|o=|copy|nocopy|image=",
            ),
            count("--uid", "UID", "User who owns it"),
        ),
        arguments=(Argument(name="name", metavar="NAME", required=False),),
    ),
    Command(
        path="volume exists",
        handler="podpy.cli.commands.volumes.volume:exists",
        help="Tell by the exit code whether a volume exists",
        examples=("podpy volume exists data && echo yes",),
        arguments=(_ONE,),
    ),
    Command(
        path="volume export",
        handler="podpy.cli.commands.volumes.volume:export",
        help="Write a volume's files as a tar",
        examples=(
            "podpy volume export -o data.tar data",
            "podpy volume export data | zstd > data.tar.zst",
        ),
        arguments=(_ONE,),
        options=(text("--output -o", "FILE", "Write to this file (default: standard output)", complete=FILES),),
    ),
    Command(
        path="volume import",
        handler="podpy.cli.commands.volumes.volume:import_",
        help="Unpack a tar into a volume",
        description=(
            "The tar may be compressed (gzip, zstd, xz, bzip2). Files that are in the volume already are replaced, "
            "others stay. An import that fails, or is cut off, leaves the volume as it was."
        ),
        examples=(
            "podpy volume import data data.tar",
            "podpy volume import data - < data.tar.gz",
        ),
        arguments=(_ONE, Argument(name="source", metavar="FILE|-", complete=FILES)),
    ),
    Command(
        path="volume inspect",
        handler="podpy.cli.commands.volumes.volume:inspect",
        help="Print everything about volumes",
        examples=(
            "podpy volume inspect data",
            "podpy volume inspect --format '{{.Mountpoint}}' data",
        ),
        arguments=(_SOME,),
        options=(flag("--all -a", "All volumes"), template_format(what="each volume")),
    ),
    Command(
        path="volume ls",
        aliases=("volume list",),
        handler="podpy.cli.commands.volumes.volume_list:ls",
        help="List volumes",
        examples=(
            "podpy volume ls",
            "podpy volume ls --filter dangling=true --filter label=app=shop",
            "podpy volume ls --format '{{.Name}} {{.Mountpoint}}'",
        ),
        rule="none",
        options=(
            many("--filter -f", "KEY=VALUE", "Only volumes for which this is true (repeatable)"),
            text("--format", "TEMPLATE", "Print each volume as a Go template says, or all as json"),
            flag("--noheading -n", "Leave the heading out"),
            flag("--quiet -q", "Only names"),
        ),
    ),
    Command(
        path="volume mount",
        handler="podpy.cli.commands.volumes.volume:mount",
        help="Mount a volume and print where",
        description="Only what runs in `podpy unshare` sees it; for a volume without options that is its directory.",
        examples=("podpy unshare podpy volume mount data",),
        arguments=(_ONE,),
    ),
    Command(
        path="volume prune",
        handler="podpy.cli.commands.volumes.volume_list:prune",
        help="Remove anonymous volumes that no container uses",
        examples=(
            "podpy volume prune",
            "podpy volume prune --all --dry-run",
            "podpy volume prune --force --filter until=24h",
        ),
        rule="none",
        options=(
            flag("--all -a", "Volumes with names, too, if no container uses them"),
            flag("--dry-run", "Remove nothing: print what would go"),
            _FILTER,
            flag("--force -f", "Don't ask"),
        ),
    ),
    Command(
        path="volume reload",
        help="(podpy has no volume plugins)",
        hidden=True,
        refuse="asks volume plugins, and podpy has none",
    ),
    Command(
        path="volume rename",
        handler="podpy.cli.commands.volumes.volume:rename",
        help="Give a volume that no container uses another name",
        examples=("podpy volume rename data data-2025",),
        arguments=(_ONE, Argument(name="name", metavar="NEWNAME")),
    ),
    Command(
        path="volume rm",
        aliases=("volume remove",),
        handler="podpy.cli.commands.volumes.volume:rm",
        help="Remove volumes with their files",
        examples=(
            "podpy volume rm data",
            "podpy volume rm --force data  # and the containers that use it",
        ),
        arguments=(_SOME,),
        options=(
            flag("--all -a", "All volumes"),
            flag("--force -f", "Remove the containers that use it first; a volume that isn't there is no error"),
            number("--time -t", "SECONDS", "How long to wait before a container is killed; -1: for ever", default=10),
        ),
    ),
    Command(
        path="volume unmount",
        aliases=("volume umount",),
        handler="podpy.cli.commands.volumes.volume:unmount",
        help="Undo podpy volume mount",
        examples=("podpy unshare podpy volume unmount data",),
        arguments=(_ONE,),
    ),
)
