"""A section's keys → options of the command line, in the table's order."""

from __future__ import annotations

from podpy.quadlet import special

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.quadlet.context import Context
    from podpy.quadlet.unitfile import Section


def options(context: Context, *, always: tuple[str, ...] = ()) -> list[str]:
    """Return the options of the keys that the file has, and of those in `always`."""
    own = context.own
    found: list[str] = []
    for key, (form, option, _) in context.keys.items():
        if form and (key in own or key in always):
            found += _option(context, own, key, form, option)
    return found


def _option(context: Context, own: Section, key: str, form: str, option: str) -> list[str]:
    if form in ("one", "given"):
        value = own.last(key)
        return _with(option, value) if value or form == "given" else []
    if form == "each":
        return _all(option, own.values(key))
    if form == "bool":
        return [option] if own.boolean(key) else [f"{option}=false"]
    if form == "flag":
        return option.split() if own.boolean(key) else []
    if form == "pairs":
        return _all(option, own.pairs(key))
    if form == "args":
        return _all(option, own.words(key))
    if form in ("words", "lower"):
        values = own.words(key, escapes=False)
        return _all(option, [value.lower() for value in values] if form == "lower" else values)
    words: list[str] = getattr(special, form)(context, key, option)
    return words


def _all(option: str, values: list[str]) -> list[str]:
    return [word for value in values for word in _with(option, value)]


def _with(option: str, value: str) -> list[str]:
    words = option.split()
    if option[-1] in "=:":
        words[-1] += value
        return words
    return [*words, value]
