"""Address families (address_families(7)): those whose sockets a container may open, and those that podpy denies.

Programs in containers use the allowed ones. The denied ones only widen a container's reach into the kernel: dead
protocols, protocols of rare hardware, and those that lead past the container (AF_VSOCK to the hypervisor, AF_ALG into
the kernel's cryptography, AF_RXRPC). A denied family fails as if the kernel had been built without it.
"""

from __future__ import annotations

from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# include/linux/socket.h, without AF_; the numbers are the same on every architecture.
NUMBERS = {
    name: number
    for number, name in enumerate(
        "unspec unix inet ax25 ipx appletalk netrom bridge atmpvc x25 inet6 rose decnet netbeui security key netlink"
        " packet ash econet atmsvc rds sna irda pppox wanpipe llc ib mpls can tipc bluetooth iucv rxrpc isdn phonet"
        " ieee802154 caif alg nfc vsock kcm qipcrtr smc xdp mctp".split()
    )
}
NETLINK = NUMBERS["netlink"]
# No kernel has sockets of unspec, wanpipe and mpls; allowing them closes gaps, so the masked rules get fewer.
_NOBODYS = frozenset(["unspec", "wanpipe", "mpls"])
ALLOWED = frozenset(
    NUMBERS[name] for name in ("unix inet inet6 netlink packet pppox can tipc bluetooth".split() + sorted(_NOBODYS))
)
LIMIT = 64  # the kernel's families are below it (AF_MAX is 46)
DENIED = frozenset(range(LIMIT)) - ALLOWED


def numbers(names: Iterable[str]) -> frozenset[int]:
    """Return the numbers of families by name (`vsock`, `AF_VSOCK`). Raises UsageError for an unknown one."""
    found = set()
    for name in names:
        bare = name.strip().lower().removeprefix("af_")
        if bare not in NUMBERS:
            raise UsageError(
                f"seccomp-allow: unknown address family {name!r}",
                hint=f"Denied unless allowed: {', '.join(denied_names())}",
            )
        found.add(NUMBERS[bare])
    return frozenset(found)


def denied_names(allowed: Iterable[int] = ()) -> list[str]:
    """Return the names of the denied families except those `allowed`, in the order of their numbers."""
    denied = DENIED.difference(allowed)
    return [name for name, number in NUMBERS.items() if number in denied]
