"""Parameters of a query: texts → typed values, as dockerd reads them (daemon/server/httputils/form.go)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from podpy import fastjson
from podpy.api import routes
from podpy.api.errors import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.routes import Parameter, Route

_FALSE = ("", "0", "no", "false", "none")
_MOST_FIELDS = 1000


def parse(query: str, route: Route) -> dict[str, Any]:
    """Return the values of a route's parameters; unknown ones are ignored. Raises HttpError.

    On Podman's paths names may be written in any case, as its clients do.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise HttpError(400, "invalid query: too many parameters") from None
    given: dict[str, list[str]] = {}
    any_case = route.path.startswith("/libpod/")
    for name, value in pairs:
        given.setdefault(name.lower() if any_case else name, []).append(value)
    return {each.name: _value(each, given.get(each.name.lower() if any_case else each.name)) for each in route.query}


def _value(parameter: Parameter, given: list[str] | None) -> Any:
    kind = parameter.kind
    if kind == routes.TEXTS:
        return given or []
    if kind == routes.FILTERS:
        return _known(filters(given[0] if given else ""), parameter.keys)
    if given is None:
        return parameter.default
    text = given[0]
    if kind == routes.FLAG:
        return text.strip().lower() not in _FALSE
    if kind == routes.NUMBER:
        return number(text) if text else parameter.default
    if kind == routes.JSON_VALUE:
        return _json(parameter.name, text) if text else parameter.default
    return text


def _known(texts: list[str], keys: tuple[str, ...]) -> list[str]:
    """Return filters. Raises HttpError for a key that isn't one of `keys`, if there are any."""
    for text in texts:
        key = text.partition("=")[0]
        if keys and key not in keys:
            raise HttpError(400, f"invalid filter '{key}'")
    return texts


def number(text: str) -> int:
    """Return a whole number. Raises HttpError with Go's words, and the status that dockerd gives them."""
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise HttpError(500, f'strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _json(name: str, text: str) -> Any:
    try:
        return fastjson.loads_strict(text)
    except ValueError as error:
        raise HttpError(400, f"invalid {name}: {error}") from None


def filters(text: str) -> list[str]:
    """Return KEY=VALUE texts of {"key": ["value"]} or, as older clients send it, {"key": {"value": true}}."""
    if not text:
        return []
    try:
        said = fastjson.loads_strict(text)
    except ValueError:
        raise HttpError(400, "invalid filter") from None
    if not isinstance(said, dict):
        raise HttpError(400, "invalid filter")
    found = []
    for key, values in said.items():
        if isinstance(values, dict):
            chosen = [value for value, wanted in values.items() if wanted]
        elif isinstance(values, list) and all(isinstance(value, str) for value in values):
            chosen = values
        else:
            raise HttpError(400, "invalid filter")
        found += [f"{key}={value}" for value in chosen]
    return found
