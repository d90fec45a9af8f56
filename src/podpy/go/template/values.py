"""Go's view of values: structs and maps, truth, comparison, fmt's %v."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EXPONENT_LIMIT = 21  # fmt prints floats with %g, but with an exponent only from here on


class Struct(dict):  # type: ignore[type-arg]
    """A Go struct: fields by name, in order. JSON writes it as an object; in a template an unknown field is an error.

    A callable value is a method: a template calls it with its arguments, JSON omits it.
    """

    __slots__ = ()

    def json_form(self) -> Struct:
        """Return the struct to write as JSON, which may differ from what a template sees, as in `ps`."""
        return self


class Map(dict):  # type: ignore[type-arg]
    """A Go map whose elements' type is known: `zero` is what `index` returns for a missing key (text/template).

    Without `items` it is a nil map: empty in a template, null in JSON.
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
    """The value of a missing map entry: prints as <no value>, is false."""

    def __bool__(self) -> bool:
        return False


NO_VALUE = NoValue()


def truth(value: Any) -> bool:
    """Return whether a value is true for Go's `if`: a struct is; any other unless it is its type's zero value."""
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
    """Return a float as %v prints it: the shortest digits that round-trip, with an exponent from 1e+21 on."""
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
    """Return a map's keys in the order of Go's templates and fmt."""
    try:
        return sorted(value)
    except TypeError:
        return list(value)
