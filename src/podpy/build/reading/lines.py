"""A Dockerfile's text → logical lines: directives, comments, continuation lines, here-documents.

A comment inside a continued line is left out, as are empty lines there. A line's escape character at its end, blanks
after it or not, continues it; two of them don't.
"""

from __future__ import annotations

import re

from podpy.build.reading.forms import FormError, json_words, raw_words, split_command, unquoted
from podpy.build.reading.instructions import Heredoc, Lint, Place
from podpy.errors import BuildFileError
from podpy.record import Record

MOST_BYTES = 1 << 20
_DIRECTIVES = ("syntax", "escape", "check")
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$")
# What follows a name in a shell's text, such as the `;` of `cat <<A; cat <<B`, is no part of it.
_HEREDOC = re.compile(r"""\d*<<(-?)\s*((?:[^<>;&|()'"\\]|'[^']*'|"[^"]*"|\\.)+)(?:[>;&|()].*)?""", re.DOTALL)
_BOM = "\ufeff"


class Line(Record):
    """A logical line, its here-documents, and the comments right above it."""

    place: Place
    text: str
    heredocs: tuple[Heredoc, ...]
    comments: tuple[str, ...]


class Text(Record):
    """A whole file in logical lines."""

    escape: str
    directives: dict[str, str]
    lines: list[Line]
    warnings: list[Lint]


def split(data: bytes, file: str) -> Text:
    """Return a file's logical lines. Bytes that aren't UTF-8 stay what they are. Raises BuildFileError."""
    if len(data) > MOST_BYTES:
        raise BuildFileError.at(file, 1, 1, f"a Dockerfile may have at most {MOST_BYTES >> 20} MiB")
    text = data.decode("utf-8", "surrogateescape").removeprefix(_BOM)
    reader = _Reader(file, text.split("\n"))
    return reader.read()


def heredoc_word(word: str) -> tuple[str, bool, bool] | None:
    """Return (name, expand, chomp) if a word begins a here-document: `<<EOF`, `<<-"EOF"`, `3<<EOF`."""
    match = _HEREDOC.fullmatch(word)
    if match is None:
        return None
    name = unquoted(match[2])
    if not name or len(raw_words(match[2])) != 1:
        return None
    return name, not ("'" in match[2] or '"' in match[2]), match[1] == "-"


class _Reader:
    def __init__(self, file: str, lines: list[str]) -> None:
        self._file = file
        self._lines = lines
        if lines[-1] == "":
            lines.pop()
        self._next = 0
        self._comments: list[str] = []
        self._escape = "\\"
        self._directives: dict[str, str] = {}
        self._warnings: list[Lint] = []

    def read(self) -> Text:
        self._read_directives()
        lines = []
        while self._next < len(self._lines):
            line = self._logical_line()
            if line is not None:
                lines.append(line)
        if not lines:
            raise BuildFileError.at(self._file, max(len(self._lines), 1), 1, "file with no instructions")
        return Text(escape=self._escape, directives=self._directives, lines=lines, warnings=self._warnings)

    def _read_directives(self) -> None:
        for number, line in enumerate(self._lines, 1):
            match = _DIRECTIVE.match(line.strip())
            name = match[1].lower() if match else ""
            if match is None or name not in _DIRECTIVES:
                return
            if name in self._directives:
                raise BuildFileError.at(self._file, number, 1, f"only one {name} parser directive can be used")
            self._directives[name] = match[2]
            if name == "escape":
                if match[2] not in ("\\", "`"):
                    told = f"invalid escape token '{match[2]}' does not match ` or \\"
                    raise BuildFileError.at(self._file, number, line.find(match[2]) + 1, told)
                self._escape = match[2]
            self._next = number

    def _logical_line(self) -> Line | None:
        """Return the next logical line; None for a comment or an empty line."""
        first = self._lines[self._next].rstrip("\r")
        self._next += 1
        start = self._next
        stripped = first.lstrip()
        if not stripped or stripped[0] == "#":
            self._note_comment(stripped)
            return None
        pieces, spans = self._joined(stripped, len(first) - len(stripped) + 1)
        text = "".join(pieces)
        if not text.strip():
            return None
        if "\0" in text:
            raise BuildFileError.at(self._file, start, 1, "an instruction can't have a NUL byte")
        place = Place(file=self._file, line=start, last_line=self._next, spans=tuple(spans))
        heredocs = self._heredocs(text, place)
        comments, self._comments = self._comments, []
        return Line(
            place=place.replace(last_line=self._next), text=text, heredocs=tuple(heredocs), comments=tuple(comments)
        )

    def _note_comment(self, stripped: str) -> None:
        comment = stripped[1:].strip()
        if comment:
            self._comments.append(comment)
        elif stripped:
            self._comments = []

    def _joined(self, piece: str, column: int) -> tuple[list[str], list[tuple[int, int, int]]]:
        """Return the parts of a logical line whose first is `piece`, and where they stand."""
        spans = [(0, self._next, column)]
        piece, continues = self._without_continuation(piece)
        pieces, length = [piece], len(piece)
        has_empty = False
        while continues and self._next < len(self._lines):
            line = self._lines[self._next].rstrip("\r")
            self._next += 1
            bare = line.lstrip()
            if not bare or bare[0] == "#":
                has_empty = has_empty or not bare
                continue
            piece, continues = self._without_continuation(line)
            spans.append((length, self._next, 1))
            pieces.append(piece)
            length += len(piece)
        if has_empty:
            message = f"Empty continuation line found in: {''.join(pieces)}"
            lint = Lint(rule="NoEmptyContinuation", message=message, file=self._file, line=self._next)
            self._warnings.append(lint)
        return pieces, spans

    def _without_continuation(self, line: str) -> tuple[str, bool]:
        bare = line.rstrip(" \t")
        if not bare.endswith(self._escape) or bare.endswith(self._escape * 2):
            return line, False
        return bare[:-1], True

    def _heredocs(self, text: str, place: Place) -> list[Heredoc]:
        if "<<" not in text or not _may_have_heredocs(text):
            return []
        found = []
        for word in raw_words(text):
            begin = heredoc_word(word)
            if begin is not None and not _in_arithmetic(text, word):
                name, expand, chomp = begin
                body = self._body(name, chomp=chomp)
                if body is None:
                    raise place.wrong(max(text.find(word), 0), "unterminated heredoc", hint=f"Its last line is {name}")
                found.append(Heredoc(name=name, text=body, expand=expand, chomp=chomp))
        return found

    def _body(self, name: str, *, chomp: bool) -> str | None:
        """Return the lines up to the one that is `name`, or None if there is none."""
        for number in range(self._next, len(self._lines)):
            line = self._lines[number].rstrip("\r")
            if (line.lstrip("\t") if chomp else line) == name:
                body = self._lines[self._next : number]
                self._next = number + 1
                return "".join([line + "\n" for line in body])
        return None


def _in_arithmetic(text: str, word: str) -> bool:
    """Return whether `<<` shifts a number: `$((1 << 2))`."""
    before = text.partition(word)[0] if word in text else text.partition("<<")[0]
    return before.count("((") > before.count("))")


def _may_have_heredocs(text: str) -> bool:
    """Return whether here-documents can belong to a logical line: the shell forms of RUN, and COPY and ADD."""
    words = text.split(None, 2)
    if words[0].lower() == "onbuild" and len(words) > 1:
        text = text.split(None, 1)[1]
        words = words[1:]
    if words[0].lower() not in ("run", "copy", "add"):
        return False
    try:
        return json_words(split_command(text)[2]) is None
    except FormError:
        return False
