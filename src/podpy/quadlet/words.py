"""The words of a value, and words in a unit's text: systemd.syntax(7), Quoting; systemd.service(5), Command lines."""

from __future__ import annotations

_BLANK = " \t\n\r"
_QUOTES = "\"'"
_NAMED = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " ",
    "\\": "\\", '"': '"', "'": "'",
}  # fmt: skip
_DIGITS = {"x": 2, "u": 4, "U": 8}  # hexadecimal digits after these letters
_OCTAL_DIGITS = 3
_LAST_BYTE = 255
_OUT = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}
_ODD = ("", ";")  # words that systemd wouldn't take for one: a semicolon stands between two commands


def split(text: str, *, escapes: bool = True) -> list[str]:
    """Return the words of a value. Quotes group and are removed.

    `escapes`: a backslash begins a sequence as in C, and a quote may stay open, as in commands; without, a backslash
    is one. Raises ValueError for a sequence that there isn't, and for an open quote where it may not be.
    """
    if not any(mark in text for mark in "\\\"'"):
        return text.split()
    found = []
    at = _skip(text, 0)
    while at < len(text):
        word, at = _word(text, at, escapes=escapes)
        found.append(word)
        at = _skip(text, at)
    return found


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _word(text: str, at: int, *, escapes: bool) -> tuple[str, int]:
    """Return the word that begins at `at`, and where it ends."""
    out: list[str] = []
    quote = ""
    while at < len(text):
        letter = text[at]
        if letter == "\\" and escapes:
            if at + 1 == len(text):  # nothing to escape: it goes
                return "".join(out), at + 1
            decoded, at = _unescape(text, at + 1)
            out.append(decoded)
            continue
        at += 1
        if quote:
            if letter == quote:
                quote = ""
            else:
                out.append(letter)
        elif letter in _QUOTES:
            quote = letter
        elif letter in _BLANK:
            return "".join(out), at
        else:
            out.append(letter)
    if quote and not escapes:
        raise ValueError("unbalanced quotes")
    return "".join(out), at


def _unescape(text: str, at: int) -> tuple[str, int]:
    """Return what the sequence after a backslash stands for, and where it ends."""
    letter = text[at]
    if letter in _NAMED:
        return _NAMED[letter], at + 1
    if letter in _DIGITS:
        end = at + 1 + _DIGITS[letter]
        return _character(text[at + 1 : end], 16, end - at - 1), end
    end = at + _OCTAL_DIGITS
    return _character(text[at:end], 8, _OCTAL_DIGITS, _LAST_BYTE), end


def _character(digits: str, base: int, count: int, most: int = 0x10FFFF) -> str:
    allowed = "0123456789abcdefABCDEF" if base == 16 else "01234567"
    if len(digits) == count and not set(digits) - set(allowed):
        number = int(digits, base)
        if 0 < number <= most and not 0xD800 <= number <= 0xDFFF:  # half a character of UTF-16
            return chr(number)
    raise ValueError("unsupported escape char")


def quoted(word: str) -> str:
    """Return a word as systemd reads it back; specifiers and variables in it stay what they are."""
    is_plain = " " not in word and '"' not in word and "'" not in word and "\\" not in word
    if is_plain and word not in _ODD and word.isprintable():
        return word
    return f'"{"".join(map(_escape, word))}"'


def _escape(letter: str) -> str:
    if letter in _OUT:
        return _OUT[letter]
    if letter < " " or letter == "\x7f":
        return f"\\x{ord(letter):02x}"
    return letter


def literal(path: str) -> str:
    """Return a path in which systemd finds no specifier."""
    return path.replace("%", "%%") if "%" in path else path
