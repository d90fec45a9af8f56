"""`podpy port`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import one
from podpy.errors import NotFoundError, UsageError
from podpy.libpod.containers.ports import published
from podpy.libpod.containers.rows import with_shared_ports
from podpy.libpod.containers.table import ALIVE
from podpy.numbers import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.table import ContainerRow

_SHORT_ID = 12
_MOST = 65535


def run(options: Options) -> int:
    """List published ports, or say where one of them is published."""
    with open_runtime(options) as runtime:
        if options.all:
            for row in runtime.containers.listing(all=True).rows:
                for inside, protocol, address in published(row):
                    print(f"{row.id[:_SHORT_ID]}\t{inside}/{protocol} -> {address}")
            return 0
        row = with_shared_ports(runtime, [one(runtime, options).refresh()])[0]
        if options.port:
            return _print_one(row, options.port)
        for inside, protocol, address in published(row):
            print(f"{inside}/{protocol} -> {address}")
    return 0


def _print_one(row: ContainerRow, wanted: str) -> int:
    number, _, protocol = wanted.partition("/")
    if whole(number, _MOST) is None or "/" in protocol:
        raise UsageError(f"port formats are port/protocol. '{wanted}' is invalid")
    if row.status not in ALIVE:
        return 0
    places = [address for inside, kind, address in published(row) if (str(inside), kind) == (number, protocol or "tcp")]
    if not places:
        raise NotFoundError(f'failed to find published port "{wanted}"', hint=f"See 'podpy port {row.name}'")
    for place in places:
        print(place)
    return 0
