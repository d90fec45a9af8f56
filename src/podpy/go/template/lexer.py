"""Splits a template into texts and actions, and an action into tokens."""

from __future__ import annotations

from podpy.go.template.errors import TemplateError
from podpy.go.template.strings import unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Kinds of tokens
TEXT = "text"
OPEN = "{{"
CLOSE = "}}"
FIELD = "field"  # value: the name, without its dot
VARIABLE = "variable"  # value: the name with its dollar
NAME = "name"  # a keyword, a function, true, false, nil
LITERAL = "literal"  # value: the Python value
SPACE = "space"
MARK = "mark"  # value: one of | ( ) , := = .
END = "end"

_SPACES = " \t\r\n"


class Token:
    """One token: kind, value, and position."""

    __slots__ = ("kind", "position", "value")

    def __init__(self, kind: str, value: Any, position: int) -> None:
        self.kind = kind
        self.value = value
        self.position = position


class Lexer:
    """Makes the tokens of a template."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.tokens: list[Token] = []

    def run(self) -> list[Token]:
        """Return all tokens, the last one of kind END. Raises TemplateError."""
        text = self.text
        trim_next = False
        while True:
            start = text.find("{{", self.position)
            piece = text[self.position :] if start < 0 else text[self.position : start]
            if trim_next:
                piece = piece.lstrip(_SPACES)
            if start >= 0 and self._trims_left(start):
                piece = piece.rstrip(_SPACES)
            if piece:
                self._add(TEXT, piece, self.position)
            if start < 0:
                break
            trim_next = self._action(start)
        self._add(END, "", len(text))
        return self.tokens

    def _trims_left(self, start: int) -> bool:
        return self.text[start + 2 : start + 3] == "-" and self.text[start + 3 : start + 4] in tuple(_SPACES)

    def _action(self, start: int) -> bool:
        """Read one {{…}}; return whether it trims the text that follows."""
        text = self.text
        self.position = start + (4 if self._trims_left(start) else 2)
        if text.startswith("/*", self.position):
            return self._comment(start)
        self._add(OPEN, "{{", start)
        while True:
            position = self.position
            if text.startswith("}}", position):
                self._add(CLOSE, "}}", position)
                self.position = position + 2
                return False
            if position >= len(text):
                raise TemplateError(text, start, "unclosed action: }} is missing")
            if text[position] in _SPACES:
                if self._blanks():
                    self._add(CLOSE, "}}", self.position)
                    self.position += 3
                    return True
                continue
            self._token()

    def _blanks(self) -> bool:
        """Read spaces; return whether the closing `-}}` with its space follows."""
        start = self.position
        text = self.text
        while self.position < len(text) and text[self.position] in _SPACES:
            self.position += 1
        if text.startswith("-}}", self.position):
            return True
        self._add(SPACE, " ", start)
        return False

    def _comment(self, start: int) -> bool:
        end = self.text.find("*/", self.position)
        if end < 0:
            raise TemplateError(self.text, start, "unclosed comment: */ is missing")
        rest = self.text[end + 2 :]
        if rest.startswith("}}"):
            self.position = end + 4
            return False
        closed = rest.lstrip(_SPACES)
        if rest[:1] in tuple(_SPACES) and closed.startswith("-}}"):
            self.position = len(self.text) - len(closed) + 3
            return True
        raise TemplateError(self.text, start, "a comment must end the action: */}}")

    def _token(self) -> None:
        text = self.text
        start = self.position
        char = text[start]
        if char in "\"`'":
            self._quoted(char)
        elif char == ".":
            name = self._word(start + 1)
            if name[:1].isdigit():
                self._number()
            else:
                self._add(FIELD if name else MARK, name or ".", start)
                self.position = start + 1 + len(name)
        elif char == "$":
            name = self._word(start + 1)
            self._add(VARIABLE, "$" + name, start)
            self.position = start + 1 + len(name)
        elif char.isdigit() or (char in "+-" and text[start + 1 : start + 2].isdigit()):
            self._number()
        elif char.isalpha() or char == "_":
            name = self._word(start)
            self._add(NAME, name, start)
            self.position = start + len(name)
        elif text.startswith(":=", start):
            self._add(MARK, ":=", start)
            self.position = start + 2
        elif char in "|(),=":
            self._add(MARK, char, start)
            self.position = start + 1
        else:
            raise TemplateError(text, start, f"unexpected character {char!r} in an action")

    def _word(self, start: int) -> str:
        end = start
        while end < len(self.text) and (self.text[end].isalnum() or self.text[end] == "_"):
            end += 1
        return self.text[start:end]

    def _quoted(self, quote: str) -> None:
        start = self.position
        end = start + 1
        while end < len(self.text) and self.text[end] != quote:
            end += 2 if self.text[end] == "\\" and quote != "`" else 1
        if end >= len(self.text):
            raise TemplateError(self.text, start, f"unterminated string: {quote} is missing")
        try:
            value: Any = unquote(self.text[start : end + 1])
        except ValueError as error:
            raise TemplateError(self.text, start, str(error)) from None
        self._add(LITERAL, value, start)
        self.position = end + 1

    def _number(self) -> None:
        start = self.position
        end = start + 1
        while end < len(self.text) and (self.text[end].isalnum() or self.text[end] in "._" or self._exponent_sign(end)):
            end += 1
        word = self.text[start:end]
        try:
            value: int | float = int(word, 0)
        except ValueError:
            try:
                value = float(word)
            except ValueError:
                raise TemplateError(self.text, start, f"bad number: {word}") from None
        self._add(LITERAL, value, start)
        self.position = end

    def _exponent_sign(self, position: int) -> bool:
        return self.text[position] in "+-" and self.text[position - 1] in "eE"

    def _add(self, kind: str, value: Any, position: int) -> None:
        self.tokens.append(Token(kind, value, position))
