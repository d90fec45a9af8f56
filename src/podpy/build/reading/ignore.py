"""`.containerignore` and `.dockerignore`: which files of a context a build doesn't see.

A pattern is a path from the context's top, with `*`, `?`, `[a-z]` in a part of it and `**` for any number of parts; it
means all below a directory, too. `!` makes an exception; the last pattern that fits decides. Blanks around a pattern
and a slash at either end mean nothing; a line that begins with `#` is a comment.
What a directory's name has decided holds for what is in it, exceptions included only if they came after a pattern that
had fitted by then: so it is in moby/patternmatcher, whose answers these are.
"""

from __future__ import annotations

import re

from podpy.errors import BuildFileError, UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BYTES = 1 << 20
_BOM = b"\xef\xbb\xbf"
_MAGIC = re.compile(r"[*?\[\]\\]")


class Run(Record):
    """Patterns that follow one another, all exceptions or none: `exact` are paths, `fits` the others."""

    is_exception: bool
    exact: frozenset[str]
    fits: re.Pattern[str] | None

    def has(self, path: str) -> bool:
        """Return whether one of the patterns fits a path."""
        return path in self.exact or (self.fits is not None and self.fits.fullmatch(path) is not None)


class Rules:
    """Patterns, in order. Answers for paths from the context's top, such as "src/main.c"."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Raises UsageError for a pattern with a wrong syntax."""
        cleaned = [_cleaned(pattern) for pattern in patterns]
        self._patterns = [(is_exception, path) for is_exception, path in cleaned if path]
        self._runs = _runs(self._patterns)
        self._exceptions = [path.split("/") for is_exception, path in self._patterns if is_exception]
        self._known: dict[str, tuple[bool, ...]] = {"": (False,) * len(self._runs)}

    def __bool__(self) -> bool:
        return bool(self._patterns)

    @property
    def texts(self) -> list[str]:
        """The patterns in their simplest form, in order."""
        return [("!" if is_exception else "") + path for is_exception, path in self._patterns]

    def ignores(self, path: str, is_directory: bool = False) -> bool:
        """Return whether a path is ignored. An ignored directory may still have something in it that isn't."""
        if not self._runs:
            return False
        parent = self._fitting(path.rpartition("/")[0])
        fitting = self._with(path, parent)
        if is_directory:
            self._known[path] = fitting
        return self._decided(fitting)

    def may_keep_below(self, path: str) -> bool:
        """Return whether an exception may hold for something in an ignored directory."""
        parts = path.split("/")
        return any(_reaches_below(pattern, parts) for pattern in self._exceptions)

    def _fitting(self, directory: str) -> tuple[bool, ...]:
        """Return for each run whether it fits a directory or what it is in."""
        known = self._known.get(directory)
        if known is not None:
            return known
        parts = directory.split("/")
        fitting = self._known[""]
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            fitting = self._known.get(path) or self._with(path, fitting)
            self._known[path] = fitting
        return fitting

    def _with(self, path: str, parent: tuple[bool, ...]) -> tuple[bool, ...]:
        is_ignored = False
        fitting = []
        for run, fits_parent in zip(self._runs, parent, strict=True):
            # An exception is asked only about what is ignored so far, another pattern only about what isn't.
            fits = fits_parent or (run.is_exception == is_ignored and run.has(path))
            fitting.append(fits)
            if fits:
                is_ignored = not run.is_exception
        return tuple(fitting)

    def _decided(self, fitting: tuple[bool, ...]) -> bool:
        for run, fits in zip(reversed(self._runs), reversed(fitting), strict=True):
            if fits:
                return not run.is_exception
        return False


def parse(data: bytes, file: str) -> Rules:
    """Return what an ignore file says; `file` is its name in errors. Raises BuildFileError."""
    if len(data) > MOST_BYTES:
        raise BuildFileError.at(file, 1, 1, f"an ignore file may have at most {MOST_BYTES >> 20} MiB")
    patterns = []
    lines = data.removeprefix(_BOM).decode("utf-8", "surrogateescape").split("\n")
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            continue
        try:
            is_exception, path = _cleaned(line)
        except UsageError as error:
            raise BuildFileError.at(file, number, 1, error.message) from None
        if path:
            patterns.append(("!" if is_exception else "") + path)
    return Rules(patterns)


def _cleaned(line: str) -> tuple[bool, str]:
    """Return (whether it is an exception, the pattern); "" for one that fits nothing. Raises UsageError."""
    pattern = line.strip()
    is_exception = pattern.startswith("!")
    if is_exception:
        pattern = pattern[1:].strip()
        if not pattern:
            raise UsageError('illegal exclusion pattern: "!"')
    parts: list[str] = []
    for part in pattern.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part == ".." and pattern.startswith("/"):
            pass
        elif part not in ("", "."):
            parts.append(part)
    path = "/".join(parts)
    if not is_valid(path):
        raise UsageError(f"{path}: syntax error in pattern")
    return is_exception, path


def is_valid(pattern: str) -> bool:
    """Return whether Go's filepath.Match takes a pattern."""
    position = 0
    while position < len(pattern):
        letter = pattern[position]
        position += 1
        if letter == "\\":
            if position == len(pattern):
                return False
            position += 1
        elif letter == "[":
            end = _class(pattern, position)[1]
            if end < 0:
                return False
            position = end
    return True


def _class(pattern: str, position: int) -> tuple[str, int]:
    """Return what stands after a `[` at `position` as a class for `re`, and where it ends (-1: it is none)."""
    negated = pattern.startswith("^", position)
    position += negated
    ranges: list[str] = []
    while position < len(pattern):
        if pattern[position] == "]" and ranges:
            return f"[{'^' if negated else ''}{''.join(ranges)}]", position + 1
        low, position = _class_letter(pattern, position)
        high = low
        if low and pattern.startswith("-", position):
            high, position = _class_letter(pattern, position + 1)
        if not low or not high or low > high:
            return "", -1
        ranges.append(f"{re.escape(low)}-{re.escape(high)}")
    return "", -1


def _class_letter(pattern: str, position: int) -> tuple[str, int]:
    letter = pattern[position : position + 1]
    if letter == "\\":
        return pattern[position + 1 : position + 2], position + 2
    return ("" if letter in ("-", "]") else letter), position + 1


def _runs(patterns: Sequence[tuple[bool, str]]) -> list[Run]:
    runs: list[Run] = []
    exact: list[str] = []
    others: list[str] = []
    for number, (is_exception, path) in enumerate(patterns):
        if _MAGIC.search(path):
            others.append(expression(path))
        else:
            exact.append(path)
        if number + 1 == len(patterns) or patterns[number + 1][0] != is_exception:
            fits = re.compile("|".join(others), re.DOTALL) if others else None
            runs.append(Run(is_exception=is_exception, exact=frozenset(exact), fits=fits))
            exact, others = [], []
    return runs


def expression(pattern: str) -> str:
    """Return a pattern as a regular expression.

    Where a piece has been found as early as possible, no later place makes a difference, so the search never goes back
    (atomic groups): else `**/a/**/a/**/b` would take exponential time.
    """
    if pattern.startswith("**") and not _MAGIC.search(pattern[2:]):
        literal = pattern[2:]
        if literal.startswith("/"):
            return f"(?:.*/)?{re.escape(literal[1:])}"
        return f".*{re.escape(literal)}"  # so here it fits the end of a name, elsewhere whole parts
    if pattern.endswith("**") and not _MAGIC.search(pattern[:-2]):
        return f"{re.escape(pattern[:-2])}.*"
    pieces = _split(pattern)
    *middle, last = [_piece(piece) for piece in pieces]
    if not middle:
        return last
    result = middle[0]
    for piece, text in zip(middle[1:], pieces[1:], strict=False):
        result += f"(?>(?:.*?/)??{piece})" if text.endswith("/") else f"(?:.*/)?{piece}"
    return result + (f"(?:.*/)?{last}" if last else ".*")


def _split(pattern: str) -> list[str]:
    """Return what stands between the `**` of a pattern. Several of them in a row are one."""
    pieces = [""]
    position = start = 0
    while position < len(pattern):
        if pattern[position] == "\\":
            position += 2
        elif pattern[position] == "[":
            position = _class(pattern, position + 1)[1]
        elif pattern.startswith("**", position):
            pieces[-1] = pattern[start:position]
            position += 2 + pattern.startswith("/", position + 2)
            start = position
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        else:
            position += 1
    pieces[-1] = pattern[start:]
    return pieces


def _piece(text: str) -> str:
    """Return the part of a pattern that has no `**`."""
    result: list[str] = []
    after_star: list[str] | None = None
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        current = result if after_star is None else after_star
        if letter == "*":
            if after_star is not None:
                result += _after_star(after_star, is_last=False)
            after_star = []
        elif letter == "/" and after_star is not None:
            result += [*_after_star(after_star, is_last=True), "/"]
            after_star = None
        elif letter == "?":
            current.append("[^/]")
        elif letter == "[":
            found, position = _class(text, position)
            current.append(found)
        elif letter == "\\":
            current.append(re.escape(text[position : position + 1]))
            position += 1
        else:
            current.append(re.escape(letter))
    if after_star is not None:
        result += _after_star(after_star, is_last=True)
    return "".join(result)


def _after_star(fixed: list[str], *, is_last: bool) -> list[str]:
    return ["[^/]*", *fixed] if is_last else ["(?>[^/]*?", *fixed, ")"]


def _reaches_below(pattern: Sequence[str], directory: Sequence[str]) -> bool:
    """Return whether a pattern's parts may fit a path below a directory's."""
    for part, name in zip(pattern, directory, strict=False):
        if "**" in part:
            return True
        if part != name and not (_MAGIC.search(part) and re.fullmatch(expression(part), name, re.DOTALL)):
            return False
    return len(pattern) > len(directory) or "**" in pattern[-1]
