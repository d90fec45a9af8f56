"""`update`: the options of `run` that can be changed afterwards."""

from __future__ import annotations

from podpy.cli.declare.common import latest, one_container
from podpy.cli.declare.create_options import CREATE_OPTIONS
from podpy.cli.declare.model import Command, Option

_LIMITS = frozenset(
    """--blkio-weight --blkio-weight-device --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime --cpu-shares
    --cpus --cpuset-cpus --cpuset-mems --device-read-bps --device-read-iops --device-write-bps --device-write-iops
    --memory --memory-reservation --memory-swap --memory-swappiness --pids-limit --ulimit""".split()
)
_OTHERS = frozenset(["--env", "--unsetenv", "--restart", "--no-healthcheck"])


def _is_changeable(option: Option) -> bool:
    name = option.names[0]
    return name in _LIMITS or name in _OTHERS or name.startswith("--health-")


COMMANDS: tuple[Command, ...] = (
    Command(
        path="update",
        aliases=("container update",),
        handler="podpy.cli.commands.containers.update:run",
        panel="Containers",
        help="Change a container's limits, restart policy, health check or variables",
        description="Limits and health checks count at once, variables and ulimits from the next start.",
        examples=(
            "podpy update --memory 512m --cpus 1.5 web",
            "podpy update --restart always web",
            "podpy update --health-interval 5s --health-retries 2 web",
            "podpy update --env GREETING=hi --unsetenv OLD web",
        ),
        arguments=(one_container(required=False),),
        options=(*filter(_is_changeable, CREATE_OPTIONS), latest()),
        rule="one",
    ),
)
