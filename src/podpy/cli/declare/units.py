"""The commands about units of systemd: their texts, and new images for those that run."""

from __future__ import annotations

from podpy.cli.declare.common import AUTHFILE, TLS_VERIFY, one_container, template_format
from podpy.cli.declare.model import Command, count, flag, many, text

GROUPS = {"system auto-update": "Updates of containers every day"}

_PANEL = "Containers"
_MODULE = "podpy.cli.commands.system.auto_update"

COMMANDS: tuple[Command, ...] = (
    Command(
        path="generate systemd",
        handler="podpy.cli.commands.system.generate:systemd",
        help="Print units of systemd for a container or a pod (deprecated: write Quadlet files)",
        description=(
            "Without --new the unit starts the container or pod that is there; with it, it makes a new one each time."
        ),
        examples=(
            "podpy generate systemd --name web",
            "podpy generate systemd --new --files --name web  # container-web.service in this directory",
        ),
        arguments=(one_container(),),
        options=(
            many("--after", "UNIT", "Start after this unit"),
            text("--container-prefix", "TEXT", "The beginning of containers' units' names", default="container"),
            many("--env -e", "NAME=VALUE", "A variable for the unit"),
            flag("--files -f", "Write the units into files of this directory and print their paths"),
            text("--format", "FORMAT", "json: an object with the units by their names"),
            flag("--name -n", "Use names in place of ids"),
            flag("--new", "Make a new container or pod at each start"),
            flag("--no-header", "Leave out the version and the time"),
            text("--pod-prefix", "TEXT", "The beginning of pods' units' names", default="pod"),
            many("--requires", "UNIT", "Require this unit"),
            text("--restart-policy", "POLICY", "When systemd restarts it", default="on-failure"),
            count("--restart-sec", "SECONDS", "How long systemd waits before a restart"),
            text("--separator", "TEXT", "What stands between the prefix and the name", default="-"),
            count("--start-timeout", "SECONDS", "How long a start may take"),
            count("--stop-timeout", "SECONDS", "How long a stop may take before the kill"),
            flag("--template", "A template unit, which uses %i and %I; only for containers"),
            count("--time -t", "SECONDS", "The same as --stop-timeout", hidden=True),
            many("--wants", "UNIT", "Want this unit"),
        ),
    ),
    Command(
        path="auto-update",
        handler=f"{_MODULE}:run",
        panel=_PANEL,
        help="Give containers in units of systemd the newest images",
        description=(
            "Containers with the label io.containers.autoupdate=registry (Quadlet: AutoUpdate=registry) get what their "
            "registry has, those with =local what is here under the image's name. Their units are restarted. A unit "
            "whose container doesn't start, or doesn't get healthy, has its former image back."
        ),
        examples=(
            "podpy auto-update",
            "podpy auto-update --dry-run",
            "podpy auto-update --dry-run --format '{{.Unit}} {{.Updated}}'",
            "podpy auto-update --history",
        ),
        options=(
            AUTHFILE,
            flag("--dry-run", "Change nothing: show which updates there are"),
            template_format("--format"),
            flag("--history", "Change nothing: show the updates so far"),
            flag("--try-again", "Take images, too, that were given up for the former ones"),
            flag("--rollback", "Go back to the former image if a unit doesn't work with the new one", default=True),
            TLS_VERIFY,
        ),
    ),
    Command(
        path="rollback",
        handler=f"{_MODULE}:rollback",
        panel=_PANEL,
        help="Give a container's unit the image back that it had before its last update",
        description=(
            "Once more: the one before. podpy auto-update leaves the image alone that was given up, until its registry "
            "has another one. If the former image doesn't work, the present one comes back."
        ),
        examples=("podpy rollback web",),
        options=(AUTHFILE, TLS_VERIFY),
        arguments=(one_container(),),
    ),
    Command(
        path="system auto-update enable",
        handler=f"{_MODULE}:enable",
        help="Let systemd update containers every day",
        description=(
            "Writes podpy-auto-update.timer and .service of the user's systemd (root: of the system's), enables and "
            "starts the timer, and lets that systemd run from boot on (loginctl enable-linger), or says what is "
            "missing for that. After each auto-update, images without a name that nothing needs are removed."
        ),
        examples=("podpy system auto-update enable",),
        rule="none",
    ),
    Command(
        path="system auto-update status",
        handler=f"{_MODULE}:status",
        help="Show when containers are updated next, and what is missing for that",
        examples=("podpy system auto-update status",),
        rule="none",
    ),
    Command(
        path="system auto-update disable",
        handler=f"{_MODULE}:disable",
        help="Let systemd update no containers any more",
        examples=("podpy system auto-update disable",),
        rule="none",
    ),
)
