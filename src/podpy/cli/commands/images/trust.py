"""`podpy image trust show|set`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.show.notice import print_warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.image.trust.describe import Entry

_ROW = "{{.Transport}}\t{{.Name}}\t{{.Type}}\t{{.ID}}\t{{.Store}}"


def show(options: Options) -> int:
    """Print policy.json, one line for each requirement. The argument is ignored, as by Podman."""
    with open_runtime(options) as runtime:
        given = options.signature_policy
        if options.raw:
            sys.stdout.write(runtime.registries.policy(given=given)[1].decode(errors="replace") + "\n")
            return 0
        entries, problems = runtime.registries.trust(given=given, registries_d=options.registrypath)
    for problem in problems:
        print_warning(problem)
    sys.stdout.write(_json(entries) if options.json else _table(entries, heading=not options.noheading))
    return 0


def set_(options: Options) -> int:
    """Change the requirements that policy.json has for one scope."""
    with open_runtime(options) as runtime:
        runtime.registries.set_trust(options.scope, options.type, options.pubkeysfile, given=options.signature_policy)
    return 0


def _json(entries: list[Entry]) -> str:
    from podpy.go.json import indented
    from podpy.go.template.values import Struct

    def shown(entry: Entry) -> Struct:
        fields = {
            "transport": entry.transport,
            "name": "* (default)" if entry.is_default else entry.scope,
            "repo_name": entry.scope,
            "sigstore": entry.store,
            "type": entry.type,
            "gpg_id": entry.key_ids,
        }
        return Struct({key: value for key, value in fields.items() if value or key in ("transport", "type")})

    return indented([shown(entry) for entry in entries], "  ") + "\n"


def _table(entries: list[Entry], *, heading: bool) -> str:
    from podpy.cli.show import report
    from podpy.go.template.values import Struct

    rows = [
        Struct(Transport=entry.transport, Name=entry.scope, Type=entry.type, ID=entry.key_ids, Store=entry.store)
        for entry in entries
    ]
    names = dict.fromkeys(("Transport", "Name", "Type", "ID", "Store"), "")
    return report.render("", rows, report.headers(Struct(names)) if heading else None, default=_ROW)
