"""The commands about what is in a container: copying, exporting, committing, mounting."""

from __future__ import annotations

from podpy.cli.declare.common import PROGRESS, latest, one_container, some_containers
from podpy.cli.declare.model import CONTAINERS, FILES, SWITCH, Argument, Command, Option, flag, many, text

_PANEL = "Containers"
_INSTRUCTIONS = "CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR"

COMMANDS: tuple[Command, ...] = (
    Command(
        path="export",
        aliases=("container export",),
        handler="podpy.cli.commands.contents.export:run",
        panel=_PANEL,
        help="Write a container's files as a tar archive",
        examples=(
            "podpy export -o web.tar web",
            "podpy export web | tar -t",
        ),
        arguments=(one_container(),),
        options=(text("--output -o", "FILE", "Write to this file (default: standard output)", complete=FILES),),
    ),
    Command(
        path="cp",
        aliases=("container cp",),
        handler="podpy.cli.commands.contents.cp:run",
        panel=_PANEL,
        help="Copy files into a container, out of it, or between two",
        description="A path is CONTAINER:PATH or PATH; - is a tar on standard input or output. DIR/. is what is in it.",
        examples=(
            "podpy cp web:/etc/nginx/nginx.conf .",
            "podpy cp site/. web:/srv",
            "podpy cp web:/srv other:/srv",
            "podpy cp web:/var/log - | tar -t",
        ),
        arguments=(
            Argument(name="source", metavar="[CONTAINER:]SOURCE", complete=FILES),
            Argument(name="destination", metavar="[CONTAINER:]DESTINATION", complete=FILES),
        ),
        options=(
            flag("--archive -a", "What is copied into a container belongs to its user", default=True),
            flag("--overwrite", "A file may take a directory's place, and the other way round"),
            flag("--extract", "Accepted for old scripts; does nothing", hidden=True),
            flag("--pause", "Accepted for old scripts; does nothing", hidden=True, default=True),
        ),
    ),
    Command(
        path="mount",
        aliases=("container mount",),
        handler="podpy.cli.commands.contents.mount:mount",
        panel=_PANEL,
        help="Mount containers' root file systems and print where (in `podpy unshare`)",
        examples=("podpy unshare sh -c 'ls $(podpy mount web)'",),
        rule="ids or none",
        arguments=(some_containers(),),
        options=(
            flag("--all -a", "Mount all containers"),
            text("--format", "FORMAT", "json"),
            latest(),
            flag("--no-trunc", "Print whole ids"),
        ),
    ),
    Command(
        path="unmount",
        aliases=("umount", "container unmount", "container umount"),
        handler="podpy.cli.commands.contents.mount:unmount",
        panel=_PANEL,
        help="Unmount containers' root file systems",
        examples=("podpy unmount web", "podpy unmount --all"),
        rule="ids",
        arguments=(some_containers(),),
        options=(
            flag("--all -a", "Unmount all that are mounted"),
            flag("--force -f", "Even while somebody works in it"),
            latest(),
        ),
    ),
    Command(
        path="commit",
        aliases=("container commit",),
        handler="podpy.cli.commands.contents.commit:run",
        panel=_PANEL,
        help="Make an image of a container",
        examples=(
            "podpy commit web localhost/web",
            "podpy commit -c CMD=/start -c 'ENV LANG=C.UTF-8' --author me web localhost/web:2",
        ),
        arguments=(
            Argument(name="container", metavar="CONTAINER", complete=CONTAINERS),
            Argument(name="image", metavar="IMAGE", required=False, help="The image's name (default: it has none)"),
        ),
        options=(
            text("--author -a", "AUTHOR", "Who made the image"),
            many("--change -c", "INSTRUCTION", f"Set this in the image's configuration (repeatable): {_INSTRUCTIONS}"),
            text("--config", "FILE", "JSON with a container's configuration to merge in", complete=FILES),
            text("--format -f", "FORMAT", "Kind of manifest: oci or docker", default="oci"),
            text("--iidfile", "FILE", "Write the image's id to this file", complete=FILES),
            flag("--include-volumes", "What the user mounted becomes volumes of the image"),
            text("--message -m", "TEXT", "Comment in the configuration (only with --format docker)"),
            Option(
                names=("--pause", "-p"), kind=SWITCH, help="Hold the container still meanwhile (default: if possible)"
            ),
            flag("--quiet -q", "Print only the image's id"),
            flag("--squash -s", "One layer with everything"),
            PROGRESS,
        ),
    ),
)
