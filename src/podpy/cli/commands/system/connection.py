"""`podpy system connection`: add, list, default, rename, remove."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.config.connections import Connection
    from podpy.go.template.values import Struct

_COLUMNS = "{{.Name}}\t{{.URI}}\t{{.Identity}}\t{{.Default}}\t{{.ReadWrite}}"
_TLS_COLUMNS = "{{.Name}}\t{{.URI}}\t{{.Identity}}\t{{.TLSCA}}\t{{.TLSCert}}\t{{.TLSKey}}\t{{.Default}}\t{{.ReadWrite}}"


def add(options: Options) -> int:
    """`podpy system connection add`."""
    with open_runtime(options) as runtime:
        runtime.connections.add(
            options.name,
            options.destination,
            port=options.port or 0,
            socket_path=options.socket_path,
            default=options.default,
            identity=options.identity,
            tls_ca=options.tls_ca,
            tls_cert=options.tls_cert,
            tls_key=options.tls_key,
        )
    return 0


def ls(options: Options) -> int:
    """`podpy system connection list`."""
    from podpy.cli.show import report

    with open_runtime(options) as runtime:
        found = runtime.connections.list()
    if options.quiet:
        sys.stdout.writelines(f"{connection.name}\n" for connection in found)
        return 0
    rows = [_row(connection) for connection in found]
    columns = _TLS_COLUMNS if options.format == "tls" else _COLUMNS
    template = "" if options.format == "tls" else options.format
    sys.stdout.write(report.listed(template, rows, _heading(), default=columns, indent="    "))
    return 0


def _row(connection: Connection) -> Struct:
    from podpy.go.template.values import Struct
    from podpy.go.view import Shown

    whole = {
        "Name": connection.name,
        "URI": connection.uri,
        "Identity": connection.identity,
        "TLSCert": connection.tls_cert,
        "TLSKey": connection.tls_key,
        "TLSCA": connection.tls_ca,
        "IsMachine": connection.is_machine,
        "Default": connection.is_default,
        "ReadWrite": connection.writable,
    }
    always = ("Name", "URI", "Default", "ReadWrite")
    return Shown(whole, Struct({name: value for name, value in whole.items() if value or name in always}))


def _heading() -> Struct:
    from podpy.go.template.values import Struct

    names = ("Name", "URI", "Identity", "TLSCA", "TLSCert", "TLSKey", "Default", "ReadWrite")
    return Struct({name: name for name in names})


def default(options: Options) -> int:
    """`podpy system connection default`."""
    with open_runtime(options) as runtime:
        runtime.connections.set_default(options.name)
    return 0


def rename(options: Options) -> int:
    """`podpy system connection rename`."""
    with open_runtime(options) as runtime:
        runtime.connections.rename(options.old, options.new)
    return 0


def remove(options: Options) -> int:
    """`podpy system connection remove`."""
    if options.all == bool(options.name):
        raise UsageError("`podpy system connection remove` requires one argument, or the --all flag")
    with open_runtime(options) as runtime:
        if options.all:
            runtime.connections.remove_all()
        else:
            runtime.connections.remove(options.name)
    return 0
