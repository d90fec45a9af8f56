"""The parser's exceptions. A module of their own, because few calls need these classes."""

from __future__ import annotations

from podpy.cli.parser import table_format as form
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.cli.parser.tables import Table


class HelpRequested(Exception):
    """`--help` (or `-h`) was given; `path` is the command, empty for podpy itself."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class UnknownOptionError(UsageError):
    """An option that the command doesn't have; `known` are those that it has."""

    def __init__(self, message: str, name: str, known: list[str]) -> None:
        super().__init__(message)
        self.name = name
        self.known = known


class MissingCommandError(UsageError):
    """No command, or a group without one."""

    def __init__(self, group: str, options: Options) -> None:
        name = f"podpy {group}".strip()
        super().__init__(f"missing command '{name} COMMAND'")
        self.group = group
        self.options = options


class UnknownCommandError(UsageError):
    """A command that neither podpy nor Podman has."""

    def __init__(self, typed: str, table: Table) -> None:
        from podpy.suggest import near

        group, _, name = typed.rpartition(" ")
        known = [path for path in table.commands if path.rpartition(" ")[0] == group and not _refused(path, table)]
        found = near(name, (path.rpartition(" ")[2] for path in known))
        super().__init__(f"unrecognized command `podpy {typed}`")
        meant = "\nDid you mean this?\n\t" + "\n\t".join(found) + "\n\n" if found else ""
        self.see = f"{meant}Try '{f'podpy {group}'.strip()} --help' for more information"


def _refused(path: str, table: Table) -> bool:
    found = table.resolve(path)
    return found is not None and bool(found[1][form.COMMAND_REFUSE])
