"""How Go sees values: structs and maps, truth, comparison, and how fmt's %v prints them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EXPONENT_LIMIT = 21  # fmt prints a float with %g but turns to exponents only here


class Struct(dict):  # type: ignore[type-arg]
    """A Go struct: its fields in order by name. As JSON it is an object; an unknown field is an error in a template.

    A callable value is a method: it is called with the template's arguments and isn't part of the JSON.
    """

    __slots__ = ()

    def json_form(self) -> Struct:
        """Return the struct whose fields are the JSON; what a template shows may differ, as in `ps`."""
        return self


class Map(dict):  # type: ignore[type-arg]
    """A Go map whose elements' type is known: `zero` is what `index` gives for a key that it hasn't (text/template).

    Without `items` it is Go's nil map: empty in a template, null in JSON.
    """

    __slots__ = ("is_nil", "zero")

    def __init__(self, items: dict[str, Any] | None = None, *, zero: Any = "") -> None:
        super().__init__(items or {})
        self.is_nil = items is None
        self.zero = zero


class NilSlice(list):  # type: ignore[type-arg]
    """Go's nil slice: empty in a template, null in JSON."""

    __slots__ = ()


class NoValue:
    """What a missing map entry gives: prints as <no value>, is false."""

    def __bool__(self) -> bool:
        return False


NO_VALUE = NoValue()


def truth(value: Any) -> bool:
    """Return whether Go's `if` takes a value as true: everything but the zero values of its kind, and any struct."""
    if isinstance(value, Struct):
        return True
    return bool(value)


def text_of(value: Any) -> str:
    """Return what %v prints."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if value is None:
        return "<nil>"
    if isinstance(value, NoValue):
        return "<no value>"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, Struct):
        return "{" + " ".join(text_of(item) for item in value.values() if not callable(item)) + "}"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{text_of(key)}:{text_of(value[key])}" for key in sorted_keys(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(text_of(item) for item in value) + "]"
    return str(value)


def float_text(value: float) -> str:
    """Return a float as %v prints it: the shortest digits that give it back, exponents from 1e+21 on."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    digits, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        return digits.removesuffix(".0")
    power = int(exponent)
    if -5 < power < _EXPONENT_LIMIT:
        return f"{value:.0f}"
    return f"{digits.removesuffix('.0')}e{'-' if power < 0 else '+'}{abs(power):02d}"


def sorted_keys(value: dict[Any, Any]) -> list[Any]:
    """Return a map's keys in the order in which Go's templates and fmt go through them."""
    try:
        return sorted(value)
    except TypeError:
        return list(value)
