"""What the firewall lets through, for all networks at once: it may have been flushed (`nft flush ruleset`).

The next container that is plugged in finds that, and the rights of every network that containers are on come back.
"""

from __future__ import annotations

from errno import ENOENT

from podpy.errors import ConfigError
from podpy.network.bridge import members
from podpy.network.definitions.network import BRIDGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.network.bridge.members import Member
    from podpy.network.bridge.namespace import SharedNamespace
    from podpy.network.bridge.netlink import Netlink
    from podpy.network.definitions.folder import Folder
    from podpy.storage.network_rows import NetworkRows


class Rights:
    """The rights in the namespace of all bridges, which the caller has locked. `descriptor`: it."""

    def __init__(self, shared: SharedNamespace, descriptor: int, rows: NetworkRows, definitions: Folder) -> None:
        self._shared = shared
        self._descriptor = descriptor
        self._rows = rows
        self._definitions = definitions

    def plug_in(self, inside: Netlink, member: Member, *, trusting: bool = True) -> None:
        """Do what `members.plug_in` does, with a firewall that is there. Raises as it does."""
        if self._shared.was_flushed:
            self.restore()
        friends = members.friends_of(member.network, self._definitions)
        try:
            members.plug_in(self._shared, self._descriptor, inside, member, friends, trusting=trusting)
        except OSError as error:
            if error.errno != ENOENT:
                raise
            self.restore()
            members.plug_in(self._shared, self._descriptor, inside, member, friends, trusting=trusting)

    def restore(self) -> None:
        """Load the firewall again, and give every network that containers are on its rights. Raises OSError,
        NotSupportedError, NetworkSetupError.
        """
        self._shared.load_firewall(self._descriptor)
        for name in self._rows.networks():
            try:
                network = self._definitions.get(name)
            except ConfigError:  # its own users are told
                continue
            if network is not None and network.driver == BRIDGE and network.options.get("mode") != "unmanaged":
                friends = members.friends_of(network, self._definitions)
                self._shared.allow(self._descriptor, network.interface, internal=network.internal, friends=friends)
        self._shared.was_flushed = False
