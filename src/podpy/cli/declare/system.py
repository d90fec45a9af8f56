"""The commands about the host, the user and podpy itself."""

from __future__ import annotations

from podpy.cli.declare.common import dry_run, template_format
from podpy.cli.declare.model import NETWORKS, Argument, Command, flag, many, number, text

_PANEL = "System"
_NO_RUNTIME = "podpy keeps no runtime for a container: each start takes that of --runtime or containers.conf"

GROUPS = {
    "container": "Containers",
    "image": "Images",
    "manifest": "Manifest lists",
    "artifact": "OCI artifacts",
    "healthcheck": "Health checks of containers",
    "system": "Host, user and podpy itself",
    "system boot": "Containers that start again after a reboot",
}

COMMANDS: tuple[Command, ...] = (
    Command(
        path="info",
        aliases=("system info",),
        handler="podpy.cli.commands.system.info:run",
        panel=_PANEL,
        help="Describe host, store and settings",
        examples=(
            "podpy info",
            "podpy info --format '{{.Store.GraphRoot}}'",
            "podpy info --debug-config",
        ),
        rule="none",
        options=(
            template_format(),
            flag("--debug -D", "Accepted; does nothing", hidden=True),
            flag("--debug-config", "Show what containers.conf sets instead, and which file said it"),
        ),
    ),
    Command(
        path="version",
        handler="podpy.cli.commands.system.version:run",
        panel=_PANEL,
        help="Print podpy's version",
        examples=(
            "podpy version",
            "podpy version --format '{{.Client.Version}}'",
        ),
        rule="none",
        options=(template_format(),),
    ),
    Command(
        path="unshare",
        handler="podpy.cli.commands.system.unshare:run",
        panel=_PANEL,
        help="Run a command in the user's namespaces",
        examples=(
            "podpy unshare cat /proc/self/uid_map",
            "podpy unshare rm -r ./what-a-container-wrote",
        ),
        interspersed=False,
        options=(
            flag(
                "--rootless-netns",
                "Join the network of rootless bridges",
                refuse="only containers join it: podpy run --network NAME",
                aliases=("--rootless-cni",),
            ),
        ),
        arguments=(Argument(name="command", metavar="COMMAND [ARG…]", required=False, many=True),),
    ),
    Command(
        path="system doctor",
        aliases=("doctor",),
        panel=_PANEL,
        handler="podpy.cli.commands.system.system:doctor",
        help="Check this host and say what mends what is wrong",
        examples=(
            "podpy system doctor",
            "podpy system doctor --json",
            "podpy system doctor --network shop",
            "podpy system doctor --print-apparmor-profile | sudo tee /etc/apparmor.d/podpy",
        ),
        rule="none",
        options=(
            flag("--json", "Print JSON"),
            text(
                "--network",
                "NAME",
                "Check a network instead: which hop between its running containers, their names and published ports, "
                "and the outside fails",
                complete=NETWORKS,
            ),
            flag("--print-apparmor-profile", "Only print what lets podpy make user namespaces on Ubuntu"),
        ),
    ),
    Command(
        path="system check",
        handler="podpy.cli.commands.system.system:check",
        help="Check the store",
        examples=(
            "podpy system check",
            "podpy system check --repair",
        ),
        rule="none",
        description=(
            "Without --quick every layer and every kept blob is read and its digest compared. With --repair, a layer "
            "that is lost or damaged is made again from its kept blob, or fetched from its registry; the rest of its "
            "image stays as it is."
        ),
        options=(
            flag("--quick -q", "Don't read layers and blobs to compare their digests"),
            flag("--repair -r", "Repair what is broken"),
            flag("--force -f", "The same as --repair: podpy's repairs lose no container"),
            text("--max -m", "DURATION", "Accepted as Podman's: podpy knows left-overs of any age", default="24h"),
        ),
    ),
    Command(
        path="system boot enable",
        handler="podpy.cli.commands.system.system:boot_enable",
        help="Let systemd start containers with --restart=always or unless-stopped after a reboot",
        examples=("podpy system boot enable",),
        rule="none",
        description=(
            "Writes the unit podpy-restart.service of the user's systemd (root: of the system's), enables it, and lets "
            "that systemd run from boot on (loginctl enable-linger), or says what is missing for that. One that the "
            "user has stopped isn't started if its policy is unless-stopped."
        ),
    ),
    Command(
        path="system boot status",
        handler="podpy.cli.commands.system.system:boot_status",
        help="Show which containers start after a reboot, and what is missing for that",
        examples=("podpy system boot status",),
        rule="none",
    ),
    Command(
        path="system boot disable",
        handler="podpy.cli.commands.system.system:boot_disable",
        help="Let no container start after a reboot any more",
        examples=("podpy system boot disable",),
        rule="none",
    ),
    Command(
        path="system service",
        handler="podpy.cli.commands.system.service:run",
        help="Serve Docker's API on a socket",
        description=(
            "Clients of Docker work against it: DOCKER_HOST=unix://SOCKET. Without URI it serves the sockets that "
            "systemd hands over, else $XDG_RUNTIME_DIR/podpy/podpy.sock, which only you may connect to. Containers "
            "don't depend on it: it may end and come back at any time."
        ),
        examples=(
            "podpy system service --time 0 &  # until it is ended",
            "podpy system service unix:///tmp/podpy.sock",
            "podpy system service fd://  # in a unit, or by systemd-socket-activate: the socket comes from systemd",
        ),
        options=(
            number("--time -t", "SECONDS", "End after this time without a request; 0: never", default=5),
            flag("--cors", "Let web pages use the API", hidden=True, refuse="no web page may use the API"),
        ),
        arguments=(Argument(name="uri", metavar="[URI]", required=False),),
    ),
    Command(
        path="system df",
        handler="podpy.cli.commands.system.system_df:run",
        help="Show what images, containers and volumes take on the disk",
        examples=(
            "podpy system df",
            "podpy system df --verbose",
        ),
        rule="none",
        description=(
            "All sizes are what `du` says: whole blocks of the file system, and compressed layers that were kept. "
            "`podpy images` shows how much is in an image instead. What images share is counted once; what can be "
            "reclaimed of images is what `podpy image prune --all` gives back."
        ),
        options=(
            template_format("--format"),
            flag("--verbose -v", "A line for each image, container and volume"),
        ),
    ),
    Command(
        path="system prune",
        handler="podpy.cli.commands.system.prune:system",
        help="Remove containers that don't run, and images that nothing uses",
        examples=(
            "podpy system prune",
            "podpy system prune --all --force",
            "podpy system prune --dry-run",
        ),
        rule="none",
        options=(
            flag("--all -a", "Images with names, too, if no container uses them"),
            flag("--build", "Accepted: what a killed build has left goes by itself"),
            flag("--external", "Only what belongs to nothing: what killed calls have left"),
            many("--filter", "KEY=VALUE", "Only things for which this is true (repeatable)"),
            flag("--force -f", "Don't ask"),
            flag("--volumes", "Volumes that no container uses, too"),
            dry_run(),
        ),
    ),
    Command(
        path="system migrate",
        handler="podpy.cli.commands.system.system:migrate",
        help="End the process that holds the user's namespaces, so that changed id ranges count",
        examples=("podpy system migrate  # after a change of /etc/subuid or /etc/subgid",),
        rule="none",
        options=(
            text("--new-runtime", "NAME", "OCI runtime for all containers", refuse=_NO_RUNTIME),
            flag("--migrate-db", "Accepted; there is nothing to migrate", hidden=True),
        ),
    ),
    Command(
        path="system renumber",
        handler="podpy.cli.commands.system.system:renumber",
        rule="none",
        help="Accepted; podpy has no numbered locks",
        examples=("podpy system renumber",),
    ),
    Command(
        path="system reset",
        handler="podpy.cli.commands.system.system:reset",
        rule="none",
        help="Remove everything that podpy keeps",
        description=(
            "Containers are stopped and removed, then images, artifacts, volumes and secrets, and podpy's directories. "
            "What something else put there stays."
        ),
        examples=("podpy system reset", "podpy system reset --force"),
        options=(flag("--force -f", "Don't ask"),),
    ),
    Command(
        path="completion",
        handler="podpy.cli.commands.system.completion:run",
        panel=_PANEL,
        help="Print the completion script for a shell",
        examples=(
            "podpy completion bash > ~/.local/share/bash-completion/completions/podpy",
            "podpy completion -f ~/.config/fish/completions/podpy.fish fish",
        ),
        options=(
            text("--file -f", "FILE", "Write it to this file"),
            flag("--no-desc", "Without descriptions"),
        ),
        arguments=(Argument(name="shell", metavar="bash|zsh|fish"),),
    ),
    Command(
        path="help",
        handler="podpy.cli.commands.system.help:run",
        help="Describe a command",
        examples=(
            "podpy help run",
            "podpy help image trust set",
        ),
        hidden=True,
        arguments=(Argument(name="command", metavar="COMMAND", required=False, many=True),),
    ),
    Command(
        path="__complete",
        handler="podpy.cli.commands.system.completion:complete",
        hidden=True,
        interspersed=False,
        help="What the completion scripts call",
        arguments=(Argument(name="words", metavar="WORD", required=False, many=True),),
    ),
    Command(
        path="__completeNoDesc",
        handler="podpy.cli.commands.system.completion:complete_words",
        hidden=True,
        interspersed=False,
        help="The same without descriptions",
        arguments=(Argument(name="words", metavar="WORD", required=False, many=True),),
    ),
)
