"""Completions of a command line: commands, options, their values, names of containers and images."""

from __future__ import annotations

from podpy.cli.parser import table_format as form
from podpy.cli.parser.tables import Table, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.table_format import CommandRow, OptionRow

_FILES = ":files"  # the shell completes file names itself
_DIRECTORIES = ":directories"
# cobra's directives for the shell; they are added up (ShellCompDirective)
NO_SPACE, NO_FILES, ONLY_DIRECTORIES = 2, 4, 16
_FLAGS = (form.BOOL, form.SWITCH)


def complete(words: list[str]) -> tuple[list[str], int]:
    """Return the completions of the last word (which may be empty), as "word" or "word<TAB>description", and the
    directive for the shell: a sum of NO_SPACE (a value comes next), NO_FILES, ONLY_DIRECTORIES.
    """
    found = _candidates(words)
    lines = [line for line in found if line not in (_FILES, _DIRECTORIES)]
    if _DIRECTORIES in found:
        return lines, ONLY_DIRECTORIES
    if _FILES in found:
        return lines, 0
    ends_open = len(lines) == 1 and lines[0].partition("\t")[0].endswith("=")
    return lines, NO_FILES | (NO_SPACE if ends_open else 0)


def _candidates(words: list[str]) -> list[str]:
    table = load()
    *before, current = words or [""]
    path, command, rest = _find_command(before, table)
    rows = table.globals[: table.persistent] + command[form.OPTIONS] if command else table.globals
    options = {name: row for row in rows for name in row[form.NAMES]}
    pending = _pending(rest, options)
    if pending is not None:
        return _values(pending, path, current, "")
    if current.startswith("--") and "=" in current:
        name, _, value = current.partition("=")
        return _values(options[name], path, value, name + "=") if name in options else []
    if current.startswith("-") and not _options_ended(rest, options, command):
        return _option_names(rows, path, current)
    if command is None:
        return _commands(path, table, current)
    return _arguments(command, path, _positionals(rest, options, command), current)


def _find_command(before: list[str], table: Table) -> tuple[str, CommandRow | None, list[str]]:
    """Return the command's path (or the group's, or ""), its row, and the words that follow it."""
    options = {name: row for row in table.globals for name in row[form.NAMES]}
    words = list(before)
    path = ""
    while words:
        word = words[0]
        if word.startswith("-"):
            row = options.get(word)
            takes_next = row is not None and row[form.KIND] not in _FLAGS
            if takes_next and len(words) == 1:
                break
            words = words[2 if takes_next else 1 :]
            continue
        path = f"{path} {word}".strip()
        words = words[1:]
        if path not in table.groups:
            break
    found = table.resolve(path) if path else None
    return (path, found[1], words) if found else (path, None, words)


def _pending(rest: list[str], options: dict[str, OptionRow]) -> OptionRow | None:
    """Return the option whose value the current word is."""
    if not rest or "--" in rest:
        return None
    row = options.get(rest[-1])
    return row if row is not None and row[form.KIND] not in _FLAGS else None


def _positionals(rest: list[str], options: dict[str, OptionRow], command: CommandRow) -> list[str]:
    found: list[str] = []
    words = iter(rest)
    for word in words:
        if word.startswith("-") and len(word) > 1 and not (found and not command[form.INTERSPERSED]):
            row = options.get(word)
            if row is not None and row[form.KIND] not in _FLAGS:
                next(words, None)
            continue
        found.append(word)
    return found


def _options_ended(rest: list[str], options: dict[str, OptionRow], command: CommandRow | None) -> bool:
    if "--" in rest:
        return True
    return command is not None and not command[form.INTERSPERSED] and bool(_positionals(rest, options, command))


def _declared(path: str) -> dict[str, tuple[str, str]]:
    """Return help and completion kind of a command's options and arguments, which the table doesn't hold."""
    from podpy.cli import declare

    known: dict[str, tuple[str, str]] = {}
    options = list(declare.GLOBAL_OPTIONS)
    if path:
        try:
            command = declare.find(path)
        except KeyError:
            return known
        options += command.options
        known.update({" " + argument.name: (argument.help, argument.complete) for argument in command.arguments})
    known.update({name: (option.help, option.complete) for option in options for name in option.names})
    known.update({name: ("", "hidden") for o in options if o.hidden or o.refuse for name in o.names})
    return known


def _option_names(rows: tuple[OptionRow, ...], path: str, current: str) -> list[str]:
    known = _declared(path)
    found = []
    for row in rows:
        name = row[form.NAMES][0]
        text, kind = known.get(name, ("", "hidden"))
        if kind != "hidden" and name.startswith(current):
            found.append(f"{name}\t{text}")
    if "--help".startswith(current):
        found.append("--help\tDescribe the command")
    return found


def _values(row: OptionRow, path: str, current: str, prefix: str) -> list[str]:
    if row[form.CHOICES]:
        return [prefix + choice for choice in row[form.CHOICES] if choice.startswith(current)]
    return _objects(_declared(path).get(row[form.NAMES][0], ("", ""))[1], current, prefix)


def _arguments(command: CommandRow, path: str, given: list[str], current: str) -> list[str]:
    arguments = command[form.ARGUMENTS]
    if not arguments or (len(given) >= len(arguments) and not arguments[-1][3]):
        return []
    name, metavar, _required, _many = arguments[min(len(given), len(arguments) - 1)]
    if "|" in metavar:
        return [word for word in metavar.split("|") if word.startswith(current)]
    return _objects(_declared(path).get(" " + name, ("", ""))[1], current, "")


def _objects(kind: str, current: str, prefix: str) -> list[str]:
    if "|" in kind:
        return [prefix + word for word in kind.split("|") if word and word.startswith(current)]
    if kind in ("files", "directories"):
        return [":" + kind]
    if kind in ("containers", "running", "stopped"):
        return [prefix + line for line in _containers(kind, current)]
    if kind in ("images", "artifacts", "secrets", "volumes", "networks", "pods"):
        return [prefix + name for name in _names(kind) if name.startswith(current)]
    if kind == "signals":
        import signal

        return [prefix + name.name for name in signal.Signals if name.name.startswith(current.upper())]
    return []


def _containers(kind: str, current: str) -> list[str]:
    from podpy.libpod.access import Here
    from podpy.libpod.runtime import Runtime

    # A completion never repairs states and never waits: it takes the rows as they are.
    with Runtime(access=Here()) as runtime:
        rows = runtime.containers.committed()
    wanted = [
        row for row in rows if kind == "containers" or (row.status in ("running", "paused")) == (kind == "running")
    ]
    names = [f"{row.name}\t{row.image_name}" for row in wanted if row.name.startswith(current)]
    if current and not names:
        return [f"{row.id[:12]}\t{row.name}" for row in wanted if row.id.startswith(current)]
    return names


def _names(kind: str) -> list[str]:
    from podpy.libpod.access import Here
    from podpy.libpod.runtime import Runtime

    with Runtime(access=Here()) as runtime:
        if kind == "artifacts":
            return [*runtime.artifacts.names()]
        if kind == "secrets":
            return [secret.name for secret in runtime.secrets.list()]
        if kind == "volumes":
            return [volume.name for volume in runtime.volumes.list()]
        if kind == "pods":
            return [pod.name for pod in runtime.pods.list()]
        if kind == "networks":
            return [network.name for network in runtime.networks.list()]
        names = [name for record in runtime.images.list(whole=False, digests=False) for name in record.names]
    short = [name.removeprefix("docker.io/library/").removeprefix("localhost/") for name in names]
    return sorted({*names, *short})


def _commands(path: str, table: Table, current: str) -> list[str]:
    from podpy.cli import declare

    found = []
    for command in declare.COMMANDS:
        if command.hidden:
            continue
        for name in (command.path, *command.aliases):
            group, _, word = name.rpartition(" ")
            if group == path and word.startswith(current):
                found.append(f"{word}\t{command.help}")
    for name, text in declare.groups().items():
        group, _, word = name.rpartition(" ")
        if group == path and word.startswith(current):
            found.append(f"{word}\t{text}")
    return sorted(found)
