"""`--filter KEY=VALUE`: the code that all lists share."""

from __future__ import annotations

from podpy.errors import UsageError


def parse(
    filters: list[str], known: tuple[str, ...], *, of: str = "", unknown: str = "{} is an invalid filter"
) -> dict[str, list[str]]:
    """Return the values of each key. `label!=x` is the key `label!`. Raises UsageError for an unknown key.

    `of`: the kind of object, which some of Podman's errors name; `unknown`: the text for an unknown key.
    """
    values: dict[str, list[str]] = {}
    for text in filters:
        key, equals, value = text.partition("=")
        if not equals:
            said = f"filter input must be in the form of filter=value: {text} is invalid"
            raise UsageError(said if of else f'invalid filter "{text}"', hint=f"It is KEY=VALUE. {_keys(known)}")
        if key.strip() not in known:
            said = f'"{key}" is an invalid {of} filter' if of else unknown.format(key)
            raise UsageError(said, hint=_hint(key, known))
        values.setdefault(key.strip(), []).append(value)
    return values


def _hint(key: str, known: tuple[str, ...]) -> str:
    from podpy.suggest import similar

    close = similar(key, list(known))
    return f"Did you mean {close}?" if close else _keys(known)


def _keys(known: tuple[str, ...]) -> str:
    return f"Keys: {', '.join(key for key in known if not key.endswith('!'))}"


def match_labels(wanted: list[str], labels: dict[str, str]) -> bool:
    """Return whether there are all wanted labels ("key" or "key=value", with * as in file names)."""
    return all(_has_label(text, labels) for text in wanted)


def _has_label(text: str, labels: dict[str, str]) -> bool:
    key, equals, value = text.partition("=")
    if "*" not in key and "?" not in key and "*" not in value:
        return key in labels and (not equals or labels[key] == value)
    from fnmatch import fnmatchcase

    return any(
        fnmatchcase(name, key) and (not equals or fnmatchcase(found, value) or found == value)
        for name, found in labels.items()
    )


def match_id(wanted: list[str], identifier: str) -> bool:
    """Return whether an id begins with one of the values; a value that isn't hexadecimal is a regular expression."""
    for value in wanted:
        text = value.lower()
        if all(char in "0123456789abcdef" for char in text):
            if identifier.startswith(text):
                return True
        elif match_pattern([value], identifier):
            return True
    return False


def match_pattern(wanted: list[str], text: str) -> bool:
    """Return whether a value, a regular expression, is found in the text. Raises UsageError for a bad one."""
    for value in wanted:
        if all(char.isalnum() or char in "_-/:@ " for char in value):
            if value in text:
                return True
            continue
        import re

        try:
            if re.search(value, text):
                return True
        except re.error as error:
            raise UsageError(f"invalid filter value {value!r}: {error}") from None
    return False


def boolean(key: str, values: list[str]) -> bool:
    """Return the last value as a boolean. Raises UsageError."""
    from podpy.go.values import boolean as parse_boolean

    try:
        return parse_boolean(values[-1])
    except ValueError as error:
        raise UsageError(f'invalid filter value "{values[-1]}" for {key}: {error}') from None
