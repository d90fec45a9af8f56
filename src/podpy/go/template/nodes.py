"""The parsed template: plain objects, one class per kind."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Node:
    """Base of all nodes: has a position in the text."""

    __slots__ = ("position",)

    def __init__(self, position: int) -> None:
        self.position = position


class Text(Node):
    """Literal output."""

    __slots__ = ("text",)

    def __init__(self, position: int, text: str) -> None:
        super().__init__(position)
        self.text = text


class Pipe(Node):
    """Commands joined by `|`, and the variables that get the result; `declares` distinguishes := from =."""

    __slots__ = ("commands", "declares", "variables")

    def __init__(self, position: int, variables: list[str], declares: bool, commands: list[Command]) -> None:
        super().__init__(position)
        self.variables = variables
        self.declares = declares
        self.commands = commands


class Command(Node):
    """An operand, or a function or method with its arguments."""

    __slots__ = ("arguments",)

    def __init__(self, position: int, arguments: list[Operand]) -> None:
        super().__init__(position)
        self.arguments = arguments


class Operand(Node):
    """A value: `kind` is dot, variable, literal, function or pipe; `fields` are the .Names behind it."""

    __slots__ = ("fields", "kind", "value")

    def __init__(self, position: int, kind: str, value: Any, fields: list[str]) -> None:
        super().__init__(position)
        self.kind = kind
        self.value = value
        self.fields = fields


class Action(Node):
    """{{pipeline}}"""

    __slots__ = ("pipe",)

    def __init__(self, position: int, pipe: Pipe) -> None:
        super().__init__(position)
        self.pipe = pipe


class Branch(Node):
    """{{if}}, {{with}} or {{range}} (`kind`) with its body and its {{else}}."""

    __slots__ = ("body", "kind", "otherwise", "pipe")

    def __init__(self, position: int, kind: str, pipe: Pipe, body: list[Node], otherwise: list[Node]) -> None:
        super().__init__(position)
        self.kind = kind
        self.pipe = pipe
        self.body = body
        self.otherwise = otherwise


class Jump(Node):
    """{{break}} or {{continue}}"""

    __slots__ = ("kind",)

    def __init__(self, position: int, kind: str) -> None:
        super().__init__(position)
        self.kind = kind
