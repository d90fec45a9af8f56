"""`update`, with the options of `run` that can be changed afterwards, and what makes a container of another one."""

from __future__ import annotations

from podpy.cli.declare.common import AUTHFILE, CERT_DIR, CREDS, TLS_VERIFY, latest, one_container
from podpy.cli.declare.create.options import CREATE_OPTIONS, of_run
from podpy.cli.declare.model import (
    FILES,
    IMAGES,
    PODS,
    Argument,
    Command,
    Option,
    flag,
    listed,
    text,
)

_LIMITS = frozenset(
    """--blkio-weight --blkio-weight-device --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime --cpu-shares
    --cpus --cpuset-cpus --cpuset-mems --device-read-bps --device-read-iops --device-write-bps --device-write-iops
    --memory --memory-reservation --memory-swap --memory-swappiness --pids-limit --ulimit""".split()
)
_PORTS = "[[IP:]HOST:]PORT[/PROTOCOL]"
_OTHERS = frozenset(["--env", "--unsetenv", "--restart", "--no-healthcheck"])


def _is_changeable(option: Option) -> bool:
    name = option.names[0]
    return name in _LIMITS or name in _OTHERS or name.startswith("--health-")


GROUPS = {"generate": "What other programs can make a container of"}

COMMANDS: tuple[Command, ...] = (
    Command(
        path="update",
        aliases=("container update",),
        handler="podpy.cli.commands.containers.update:run",
        panel="Containers",
        help="Change a container's limits, restart policy, health check, variables or published ports",
        description="Limits, health checks and ports of user networks count at once, variables and ulimits from the "
        "next start.",
        examples=(
            "podpy update --memory 512m --cpus 1.5 web",
            "podpy update --restart always web",
            "podpy update --health-interval 5s --health-retries 2 web",
            "podpy update --env GREETING=hi --unsetenv OLD web",
            "podpy update --unpublish 8080:80 --publish 8081:80 web",
        ),
        arguments=(one_container(required=False),),
        options=(
            *filter(_is_changeable, CREATE_OPTIONS),
            listed("--publish", _PORTS, "Publish a port or a range; while it runs, only on user networks"),
            listed("--unpublish", _PORTS, "Publish it no longer; this comes before --publish"),
            latest(),
        ),
        rule="one",
    ),
    Command(
        path="container clone",
        handler="podpy.cli.commands.containers.clone:clone",
        help="Make a container like another one",
        description="Named volumes are the same ones. Without a NAME it is the other one's with -clone behind it.",
        examples=("podpy container clone web", "podpy container clone --destroy --force --run --memory 1g web web2"),
        arguments=(
            one_container(),
            Argument(name="new_name", metavar="NAME", required=False),
            Argument(name="image", metavar="IMAGE", required=False, complete=IMAGES),
        ),
        options=(
            flag("--destroy", "Remove the other one"),
            flag("--force -f", "Also if it runs"),
            text("--name", "NAME", "The new one's name"),
            flag("--run", "Start the new one"),
            text("--pod", "POD", "Put the new one into this pod", complete=PODS),
            *of_run(_LIMITS - {"--ulimit"}),
        ),
    ),
    Command(
        path="container runlabel",
        handler="podpy.cli.commands.containers.runlabel:run",
        help="Run the podpy command that an image brings in a label, after asking",
        examples=("podpy container runlabel --display run docker.io/library/app",),
        arguments=(
            Argument(name="label", metavar="LABEL"),
            Argument(name="image", metavar="IMAGE", complete=IMAGES),
            Argument(name="arguments", metavar="ARG…", required=False, many=True),
        ),
        interspersed=False,
        options=(
            flag("--display", "Print the command and do nothing"),
            text("--name -n", "NAME", "What NAME stands for"),
            flag("--replace", "Remove a container that has the name"),
            flag("--pull -p", "Pull the image if it isn't here", default=True),
            flag("--quiet -q", "Say nothing while pulling"),
            *(text(f"--opt{number}", "TEXT", f"What $OPT{number} stands for", hidden=True) for number in (1, 2, 3)),
            AUTHFILE,
            CERT_DIR,
            CREDS,
            TLS_VERIFY,
        ),
    ),
    Command(
        path="generate spec",
        handler="podpy.cli.commands.containers.clone:generate_spec",
        help="Print a container as the body of Podman's API call that creates one",
        examples=("podpy generate spec web", "podpy generate spec --compact --name web2 web"),
        arguments=(one_container(),),
        options=(
            flag("--compact -c", "On one line"),
            text("--filename -f", "FILE", "Write it into this file", complete=FILES),
            text("--name -n", "NAME", "The new one's name"),
        ),
    ),
)
