"""The commands about pods."""

from __future__ import annotations

from podpy.cli.declare.common import LATEST, LOG_LINES, SIGNAL, STATS_LOOKS, stop_time, template_format
from podpy.cli.declare.create.options import of_run
from podpy.cli.declare.model import (
    CONTAINERS,
    FILES,
    PODS,
    Argument,
    Command,
    Option,
    flag,
    many,
    number,
    text,
)

GROUPS = {"pod": "Containers that share namespaces"}

_ALL = flag("--all -a", "Act on all pods")
_LATEST = LATEST.replace(help="Act on the pod that was created last")
_ID_FILES = many("--pod-id-file", "FILE", "Read the pod's id from this file (repeatable)", complete=FILES)
_ONE = Argument(name="pod", metavar="POD", complete=PODS)
_MAYBE = _ONE.replace(required=False)
_SOME = Argument(name="pods", metavar="POD", required=False, many=True, complete=PODS)

_OF_CONTAINERS = of_run(
    "--add-host --blkio-weight --blkio-weight-device --cgroup-parent --cpu-shares --cpus --cpuset-cpus --cpuset-mems "
    "--device --device-read-bps --device-write-bps --dns --dns-option --dns-search --gidmap --gpus --hostname "
    "--hosts-file --ip --ip6 --label --label-file --mac-address --memory --memory-swap --network --network-alias "
    "--no-hostname --no-hosts --pid --publish --replace --restart --security-opt --shm-size --shm-size-systemd "
    "--subgidname --subuidname --sysctl --uidmap --userns --uts --volume --volumes-from".split()
)
"""Options of `run` that `pod create` has, too: they are for all containers of the pod, or for what these share."""

_CREATE: tuple[Option, ...] = (
    *_OF_CONTAINERS,
    text(
        "--exit-policy",
        "POLICY",
        "What becomes of the infra container when the others have ended: continue, stop",
        default="continue",
    ),
    flag("--infra", "With an infra container, which holds what the pod shares", default=True),
    text("--infra-command", "COMMAND", "What the infra container runs: text or a JSON list"),
    text("--infra-conmon-pidfile", "FILE", "Write the process id of the infra container's monitor to this file"),
    text("--infra-image", "IMAGE", "Image of the infra container; without it podpy's own program runs"),
    text("--infra-name", "NAME", "Name of the infra container"),
    text("--name -n", "NAME", "The pod's name; without it podpy makes one up"),
    text("--pod-id-file", "FILE", "Write the pod's id to this new file", complete=FILES),
    text(
        "--share",
        "NAMESPACES",
        "What the containers share: ipc, net, uts, pid, user, cgroup, none; +pid adds to the usual ones",
        default="ipc,net,uts",
    ),
    flag("--share-parent", "The containers' cgroups are below the pod's", default=True),
)

_MAKING: tuple[Command, ...] = (
    Command(
        path="pod create",
        handler="podpy.cli.commands.pods.create:create",
        help="Make a pod",
        description="The ports, hosts and networks of its containers are the pod's: say them here.",
        examples=(
            "podpy pod create --name shop -p 8080:80",
            "podpy pod create --name job --share +pid --exit-policy stop",
            "podpy pod create --name small --memory 256m --cpus 0.5",
        ),
        options=tuple(sorted(_CREATE, key=lambda option: option.names[0])),
        arguments=(Argument(name="pod_name", metavar="NAME", required=False),),
    ),
    Command(
        path="pod exists",
        handler="podpy.cli.commands.pods.pod:exists",
        help="Tell by the exit code whether a pod exists",
        examples=("podpy pod exists shop && echo yes",),
        arguments=(_ONE,),
    ),
    Command(
        path="pod inspect",
        handler="podpy.cli.commands.pods.pod:inspect",
        help="Print everything about pods",
        examples=("podpy pod inspect shop", "podpy pod inspect --format '{{.State}}' shop"),
        arguments=(_SOME,),
        options=(template_format(what="each pod"), _LATEST),
        rule="names",
    ),
    Command(
        path="pod ls",
        aliases=("pod list", "pod ps"),
        handler="podpy.cli.commands.pods.pod_list:ls",
        help="List pods",
        examples=(
            "podpy pod ls",
            "podpy pod ls --ctr-names --ctr-status --filter status=degraded",
            "podpy pod ls --format '{{.Name}} {{.Status}}'",
        ),
        rule="none",
        options=(
            flag("--ctr-ids", "With the containers' ids"),
            flag("--ctr-names", "With the containers' names"),
            flag("--ctr-status", "With the containers' states"),
            many(
                "--filter -f",
                "KEY=VALUE",
                "Only pods for which this is true (repeatable): id, name, status, label, label!, network, until, "
                "ctr-ids, ctr-names, ctr-number, ctr-status",
            ),
            text("--format", "TEMPLATE", "Print each pod as a Go template says, or all as json"),
            flag("--latest -l", "Only the pod that was created last"),
            flag("--no-trunc", "Whole ids"),
            flag("--noheading -n", "Leave the heading out"),
            flag("--ns", "With the namespaces that they share"),
            flag("--quiet -q", "Only ids"),
            text("--sort", "KEY", "Sort by created, id, name, status or number", default="created"),
        ),
    ),
    Command(
        path="pod prune",
        handler="podpy.cli.commands.pods.pod:prune",
        help="Remove the pods whose containers have ended",
        examples=("podpy pod prune --force",),
        rule="none",
        options=(flag("--force -f", "Don't ask"),),
    ),
    Command(
        path="pod rm",
        handler="podpy.cli.commands.pods.pod:rm",
        help="Remove pods with all their containers",
        description="Exit code 1: no such pod.",
        examples=("podpy pod rm shop", "podpy pod rm --force --time 5 shop"),
        arguments=(_SOME,),
        rule="pods",
        options=(
            _ALL,
            flag("--force -f", "Stop running containers first"),
            flag("--ignore -i", "A pod that doesn't exist is no error"),
            _LATEST,
            _ID_FILES,
            stop_time(),
        ),
    ),
)


def _acting(name: str, help: str, examples: tuple[str, ...], *options: Option) -> Command:
    """A command on pods that takes names, --all or --latest."""
    return Command(
        path=f"pod {name}",
        handler=f"podpy.cli.commands.pods.pod:{name}",
        help=help,
        examples=examples,
        arguments=(_SOME,),
        rule="pods",
        options=(_ALL, _LATEST, *options),
    )


_ACTING: tuple[Command, ...] = (
    _acting(
        "kill",
        "Send a signal to the containers of pods",
        ("podpy pod kill shop", "podpy pod kill --signal HUP shop"),
        SIGNAL,
    ),
    _acting("pause", "Freeze all processes of pods", ("podpy pod pause shop",)),
    _acting("restart", "Stop the containers of pods and start them again", ("podpy pod restart shop",)),
    _acting("start", "Start the containers of pods", ("podpy pod start shop", "podpy pod start --all"), _ID_FILES),
    _acting(
        "stop",
        "Stop the containers of pods",
        ("podpy pod stop shop", "podpy pod stop --time 2 --all"),
        flag("--ignore -i", "A pod that doesn't exist is no error"),
        _ID_FILES,
        stop_time(),
    ),
    _acting("unpause", "Let paused pods go on", ("podpy pod unpause shop",)),
)

_CLONE_HAS_NO = frozenset(("--replace", "--pod-id-file", "--infra", "--share", "--share-parent"))

_OBSERVING: tuple[Command, ...] = (
    Command(
        path="pod clone",
        handler="podpy.cli.commands.pods.create:clone",
        help="Make a copy of a pod, with copies of its containers",
        description="Options change what the copy is asked to be.",
        examples=("podpy pod clone shop", "podpy pod clone --start -p 8081:80 shop shop2"),
        options=tuple(
            sorted(
                (
                    *(option for option in _CREATE if option.names[0] not in _CLONE_HAS_NO),
                    flag("--destroy", "Remove the other one"),
                    flag("--start", "Start the new one"),
                ),
                key=lambda option: option.names[0],
            )
        ),
        arguments=(_ONE, Argument(name="pod_name", metavar="NAME", required=False)),
    ),
    Command(
        path="pod logs",
        handler="podpy.cli.commands.pods.observe:logs",
        help="Print what the containers of a pod wrote",
        examples=("podpy pod logs --names shop", "podpy pod logs --follow --container web shop"),
        options=(
            text("--container -c", "CONTAINER", "Only this one of its containers", complete=CONTAINERS),
            *LOG_LINES,
            number("--tail", "LINES", "Only the last lines of each; -1: all", default=-1),
            _LATEST,
        ),
        rule="pod",
        arguments=(_MAYBE,),
    ),
    Command(
        path="pod stats",
        handler="podpy.cli.commands.pods.observe:stats",
        help="Show what the running containers of pods use",
        examples=("podpy pod stats --no-stream", "podpy pod stats --no-stream --format json shop"),
        options=(
            flag("--all -a", "All pods, as without names"),
            *STATS_LOOKS,
            _LATEST,
        ),
        rule="pods or none",
        arguments=(_SOME,),
    ),
    Command(
        path="pod top",
        handler="podpy.cli.commands.pods.observe:top",
        help="List the processes of a pod's containers",
        examples=("podpy pod top shop", "podpy pod top shop pid user args"),
        interspersed=False,
        rule="top",
        options=(_LATEST, flag("--list-descriptors", "List the fields that can be shown", hidden=True)),
        arguments=(_MAYBE, Argument(name="fields", metavar="FIELD", required=False, many=True)),
    ),
)

COMMANDS: tuple[Command, ...] = (*_MAKING, *_ACTING, *_OBSERVING)
