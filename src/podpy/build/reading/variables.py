r"""`$name` and `${name…}` in an instruction's words → their values; quotes and escape characters go.

    ${x}  ${x:-word}  ${x:+word}  ${x:?message}     (without the colon an empty value counts as one)
    ${x#pattern}  ${x##pattern}  ${x%pattern}  ${x%%pattern}  ${x/pattern/new}  ${x//pattern/new}

They nest, and mean what they mean in a shell: `##` and `%%` take the longest match. In '…' nothing is special, in "…"
only `$`, `"` and the escape character. `$(…)` is a text.

Which words have variables (Dockerfile reference, "Environment replacement"; BuildKit): all of ADD, COPY (but --from and
--exclude), ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME and WORKDIR; ARG's values; FROM's, of the ARGs before the first
FROM; the values in RUN's --mount. Not the commands of RUN, CMD, ENTRYPOINT, HEALTHCHECK, nor SHELL and ONBUILD.
"""

from __future__ import annotations

import re

from podpy.build.reading import patterns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.build.reading.instructions import Instruction

_MOST = 1 << 20  # characters of a result: `ENV a=$a$a`, thirty times, is a gigabyte
_TOO_LARGE = f"the result has more than {_MOST >> 20} MiB"
_DEEPEST = 50
_LONGEST_PATTERN = 1024
_NAME = re.compile(r"[0-9]+|[^\W\d]\w*")
_SPECIAL = "@*#?-$!"  # parameters of a shell, which have no values here


def expanded(instruction: Instruction, text: str, values: Mapping[str, str], unknown: set[str] | None = None) -> str:
    """Return a text of an instruction with its variables replaced, and without its quotes.

    `unknown` gets the names that have no value, where no default is given. Raises BuildFileError.
    """
    return "".join([piece for piece, _ in _pieces(instruction, text, values, unknown, quotes=True)])


def expanded_words(
    instruction: Instruction, text: str, values: Mapping[str, str], unknown: set[str] | None = None
) -> list[str]:
    """Return the words that a text becomes: blanks that aren't quoted separate them, those of values, too (EXPOSE)."""
    words = [""]
    for piece, is_quoted in _pieces(instruction, text, values, unknown, quotes=True):
        if is_quoted:
            words[-1] += piece
            continue
        first, *others = re.split(r"\s+", piece)
        words[-1] += first
        words += others
    return [word for word in words if word]


def expanded_document(
    instruction: Instruction, text: str, values: Mapping[str, str], unknown: set[str] | None = None
) -> str:
    r"""Return a here-document of COPY or ADD with its variables replaced: quotes are text there, `\` escapes."""
    return "".join([piece for piece, _ in _pieces(instruction, text, values, unknown, quotes=False)])


def _pieces(
    instruction: Instruction, text: str, values: Mapping[str, str], unknown: set[str] | None, *, quotes: bool
) -> list[tuple[str, bool]]:
    escape = instruction.escape if quotes else "\\"
    if "$" not in text and escape not in text and not (quotes and ("'" in text or '"' in text)):
        return [(text, False)]
    reader = _Reader(text, values, escape, set() if unknown is None else unknown, quotes=quotes)
    try:
        return reader.until("")
    except _ExpansionError as error:
        shown = text if len(text) <= 80 else f"{text[:80]}…"
        raise instruction.wrong(f'failed to process "{shown}": {error}', text) from None


class _ExpansionError(Exception):
    """A text that can't be expanded."""


class _Reader:
    """One text, read from its beginning to its end."""

    def __init__(
        self, text: str, values: Mapping[str, str], escape: str, unknown: set[str], *, quotes: bool = True
    ) -> None:
        self._text = text
        self._at = 0
        self._values = values
        self._escape = escape
        self._unknown = unknown
        self._quotes = quotes
        self._depth = 0
        self._room = _MOST
        special = re.escape(escape) + "$" + ("'\"" if quotes else "")
        self._plain = {stop: re.compile(f"[^{special}{re.escape(stop)}]+") for stop in ("", "}", "/")}

    def until(self, stop: str, *, keeps_escapes: bool = False) -> list[tuple[str, bool]]:
        """Return the pieces up to the character `stop`, which is skipped, or to the end; and whether each is quoted."""
        pieces: list[tuple[str, bool]] = []
        plain = self._plain[stop]
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == stop:
                self._at += 1
                return pieces
            if letter == "$":
                pieces.append((self._dollar(), False))
            elif letter == self._escape:
                pieces.append((self._escaped(keeps=keeps_escapes), True))
            elif letter == "'" and self._quotes:
                pieces.append((self._single_quoted(), True))
            elif letter == '"' and self._quotes:
                pieces.append((self._double_quoted(keeps_escapes=keeps_escapes), True))
            else:
                found = plain.match(self._text, self._at)
                end = found.end() if found else self._at + 1
                pieces.append((self._text[self._at : end], False))
                self._at = end
            self._take_room(len(pieces[-1][0]))
        if stop:
            raise _ExpansionError("syntax error: missing '}'" if stop == "}" else "syntax error: missing '/' in ${}")
        return pieces

    def _take_room(self, length: int) -> None:
        self._room -= length
        if self._room < 0:
            raise _ExpansionError(_TOO_LARGE)

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _word(self, stop: str, *, keeps_escapes: bool = False) -> str:
        return "".join([piece for piece, _ in self.until(stop, keeps_escapes=keeps_escapes)])

    def _escaped(self, *, keeps: bool) -> str:
        """Return the character after an escape character; at the end of a text there is none."""
        start = self._at
        self._at = min(start + 2, len(self._text))
        return self._text[start if keeps else start + 1 : self._at]

    def _single_quoted(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise _ExpansionError("unexpected end of statement while looking for matching single-quote")
        quoted = self._text[self._at + 1 : end]
        self._at = end + 1
        return quoted

    def _double_quoted(self, *, keeps_escapes: bool) -> str:
        self._at += 1
        pieces: list[str] = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == '"':
                self._at += 1
                return "".join(pieces)
            if letter == "$":
                pieces.append(self._dollar())
            elif letter != self._escape:
                pieces.append(letter)
                self._at += 1
            else:
                after = self._text[self._at + 1 : self._at + 2]
                is_special = after in ('"', "$", self._escape) and not keeps_escapes
                pieces.append(after if is_special else letter + after)
                self._at += 2
        raise _ExpansionError("unexpected end of statement while looking for matching double-quote")

    def _dollar(self) -> str:
        self._at += 1
        if self._next() == "{":
            self._at += 1
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _ExpansionError(f"more than {_DEEPEST} substitutions in one another")
            value = self._braced()
            self._depth -= 1
        else:
            name = self._name()
            value = self._value(name) if name else "$"
        self._take_room(len(value))
        return value

    def _name(self) -> str:
        letter = self._next()
        if letter and letter in _SPECIAL:
            self._at += 1
            return letter
        found = _NAME.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _value(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            self._unknown.add(name)
        return value or ""

    def _braced(self) -> str:
        """Return the value of what stands after `${`."""
        if self._next() in ("{", "}", ":"):
            raise _ExpansionError("syntax error: bad substitution")
        name = self._name()
        modifier = self._next()
        self._at += 1
        if modifier == "}":
            return self._value(name)
        if not modifier:
            raise _ExpansionError("syntax error: missing '}'")
        if modifier == "/":
            return self._replaced(name)
        if modifier in "#%":
            return self._trimmed(name, modifier)
        colon = modifier == ":"
        if colon:
            modifier = self._next()
            self._at += 1
        if not modifier or modifier not in "-+?":
            shown = (":" if colon else "") + modifier
            raise _ExpansionError(f"unsupported modifier ({shown}) in substitution")
        return self._conditional(name, modifier, colon=colon)

    def _conditional(self, name: str, modifier: str, *, colon: bool) -> str:
        value = self._values.get(name)
        has_value = value is not None and not (colon and not value)
        outer = self._unknown
        if has_value == (modifier != "+"):  # the word isn't used, so what it names needn't be known
            self._unknown = set()
        try:
            word = self._word("}")
        finally:
            self._unknown = outer
        if modifier == "-":
            return value or "" if has_value else word
        if modifier == "+":
            return word if has_value else ""
        if not has_value:
            missing = "is not allowed to be unset" if value is None else "is not allowed to be empty"
            raise _ExpansionError(f"{name}: {word or missing}")
        return value or ""

    def _trimmed(self, name: str, modifier: str) -> str:
        longest = self._next() == modifier
        if longest:
            self._at += 1
        pattern = self._pattern("}")
        trim = patterns.without_prefix if modifier == "#" else patterns.without_suffix
        try:
            return trim(self._value(name), pattern, longest=longest)
        except ValueError as error:
            raise _ExpansionError(f"invalid pattern ({pattern}) in substitution: {error}") from None

    def _replaced(self, name: str) -> str:
        every = self._next() == "/"
        if every:
            self._at += 1
        pattern = self._pattern("/")
        new = self._word("}")
        value = self._value(name)
        try:
            return patterns.replaced(value, pattern, new, every=every, most=_MOST)
        except ValueError as error:
            raise _ExpansionError(f"invalid pattern ({pattern}) in substitution: {error}") from None
        except OverflowError:
            raise _ExpansionError(_TOO_LARGE) from None

    def _pattern(self, stop: str) -> str:
        pattern = self._word(stop, keeps_escapes=True)
        if len(pattern) > _LONGEST_PATTERN:
            raise _ExpansionError(f"a pattern may have at most {_LONGEST_PATTERN} characters")
        return pattern
