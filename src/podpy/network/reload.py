"""The default network of a running container, connected again with what the host is now: `podpy network reload`.

What needs it, and what mends itself: docs/networking.md, "When the host changes". The namespace stays; the device in it
is made anew, connections end, and published ports are closed for a moment. Not on the way of a start.
"""

from __future__ import annotations

import os

from podpy.network import netns
from podpy.network.bridge import hosts
from podpy.network.setup import plan_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.context import StartContext


def reload(context: StartContext, monitor: int) -> bool:
    """Start pasta (slirp4netns) of a running container again, and correct its /etc/hosts and /etc/resolv.conf.

    `context`: as at a start; its `former_ports` are the row's, which are published again, and never other ones.
    `monitor`: the pid of its conmon, in whose mount namespace the handle of the network is. The caller holds the
    container's lock. Return False, with nothing done, for a network that neither pasta nor slirp4netns connects.
    Raises what a start raises: InUseError, NetworkSetupError; the container isn't connected then, nor after a kill,
    until a reload succeeds. Raises OSError if conmon has ended.
    """
    made = plan_again(context)
    if made.starter is None:
        return False
    from podpy.rootless.mounts import Elsewhere

    with Elsewhere(monitor):
        netns.end_helpers(context.directory)
        try:
            made.starter.execute()
            for operation in made.wait_operations:
                operation.execute()
        except BaseException:
            made.starter.abandon()
            netns.end_helpers(context.directory)
            raise
    hosts.correct(os.path.join(context.directory, "hosts"), made.hosts or "")
    hosts.rewrite(os.path.join(context.directory, "resolv.conf"), made.resolv_conf or "")
    return True
