"""What a declaration of the API is made of: routes with their parameters and bodies. Data, read by the server and by
whoever describes the API.
"""

from __future__ import annotations

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Kinds of parameters: what the handler gets.
TEXT = "text"  # str
FLAG = "flag"  # bool, by Docker's rule: ""/0/no/false/none are false
NUMBER = "number"  # int; None without a default
FILTERS = "filters"  # list[str] of KEY=VALUE
TEXTS = "texts"  # list[str]: the parameter may come several times
JSON_VALUE = "json"  # what a JSON text means

# Bodies.
NO_BODY = ""
JSON_BODY = "application/json"  # call.json(): an object
STREAM = "application/x-tar"  # call.body: bytes as they arrive


class Parameter(Record):
    """One parameter of a query."""

    name: str
    kind: str = TEXT
    help: str = ""
    default: Any = None  # None: the kind's own nothing ("", False, None, [])
    keys: tuple[str, ...] = ()  # of filters: those that there are


class Route(Record):
    """One path and method. `{id}` in a path stands for one part of it, `{name...}` for several parts with slashes.

    A handler is `handler(call)`; see podpy.api.call. `optional_body`: a JSON body that may be left out.
    """

    method: str
    path: str  # without the version
    handler: str  # "module:function"
    help: str = ""
    query: tuple[Parameter, ...] = ()
    body: str = NO_BODY
    schema: Any = None  # of a JSON body: podpy.api.schema
    optional_body: bool = False
    kind: str = ""  # what {id} or {name...} names: container, exec, image …, for errors
    since: str = ""  # the first version that has it


def text(name: str, help: str = "", default: str = "") -> Parameter:
    """A parameter with any text."""
    return Parameter(name=name, kind=TEXT, help=help, default=default)


def flag(name: str, help: str = "", *, default: bool = False) -> Parameter:
    """A parameter that is true or false."""
    return Parameter(name=name, kind=FLAG, help=help, default=default)


def number(name: str, help: str = "", default: int | None = None) -> Parameter:
    """A parameter with a whole number."""
    return Parameter(name=name, kind=NUMBER, help=help, default=default)


def filters(*keys: str) -> Parameter:
    """The parameter `filters`, with the keys that it may have (none: any)."""
    return Parameter(name="filters", kind=FILTERS, help="KEY=VALUE as JSON", keys=keys)


def texts(name: str, help: str = "") -> Parameter:
    """A parameter that may come several times."""
    return Parameter(name=name, kind=TEXTS, help=help)


def route(method: str, path: str, handler: str, help: str, *query: Parameter, **more: Any) -> Route:
    """A route with its parameters."""
    return Route(method=method, path=path, handler=handler, help=help, query=query, **more)
