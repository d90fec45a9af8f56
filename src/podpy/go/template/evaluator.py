"""Evaluates a template's nodes and writes the output."""

from __future__ import annotations

from podpy.go.template.errors import TemplateError
from podpy.go.template.functions import FUNCTIONS, FunctionError
from podpy.go.template.nodes import Action, Branch, Command, Jump, Node, Operand, Pipe, Text
from podpy.go.template.values import NO_VALUE, NoValue, Struct, sorted_keys, text_of, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_SHOWN_FIELDS = 5
_NOTHING = object()


class _Loop(Exception):
    """{{break}} or {{continue}}, raised up to its {{range}}."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Evaluator:
    """One rendering of a template."""

    def __init__(self, text: str, data: Any) -> None:
        self.text = text
        self.output: list[str] = []
        self.variables: list[tuple[str, Any]] = [("$", data)]

    def run(self, nodes: list[Node]) -> str:
        """Return the output. Raises TemplateError."""
        self._walk(nodes, self.variables[0][1])
        return "".join(self.output)

    def _walk(self, nodes: list[Node], dot: Any) -> None:
        for node in nodes:
            if isinstance(node, Text):
                self.output.append(node.text)
            elif isinstance(node, Action):
                value = self._pipe(node.pipe, dot)
                if not node.pipe.variables:
                    self.output.append(text_of(value))
            elif isinstance(node, Branch):
                depth = len(self.variables)
                self._branch(node, dot)
                del self.variables[depth:]
            elif isinstance(node, Jump):
                raise _Loop(node.kind)

    def _branch(self, node: Branch, dot: Any) -> None:
        if node.kind == "range":
            self._range(node, dot)
            return
        value = self._pipe(node.pipe, dot)
        if truth(value):
            self._walk(node.body, value if node.kind == "with" else dot)
        else:
            self._walk(node.otherwise, dot)

    def _range(self, node: Branch, dot: Any) -> None:
        names = node.pipe.variables
        value = self._commands(node.pipe, dot)
        empty = True
        for key, item in self._items(value, node):
            empty = False
            depth = len(self.variables)
            for name, bound in zip(names, (item,) if len(names) == 1 else (key, item), strict=False):
                self._bind(name, bound, node.pipe.declares)
            try:
                self._walk(node.body, item)
            except _Loop as jump:
                if jump.kind == "break":
                    break
            finally:
                del self.variables[depth:]
        if empty:
            self._walk(node.otherwise, dot)

    def _items(self, value: Any, node: Branch) -> Iterator[tuple[Any, Any]]:
        if value is None or isinstance(value, NoValue):
            return iter(())
        if isinstance(value, dict) and not isinstance(value, Struct):
            return iter([(key, value[key]) for key in sorted_keys(value)])
        if isinstance(value, list | tuple):
            return enumerate(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return enumerate(range(value))
        raise self._error(node, f"range can't iterate over {text_of(value)}")

    def _pipe(self, pipe: Pipe, dot: Any) -> Any:
        value = self._commands(pipe, dot)
        for name in pipe.variables:
            self._bind(name, value, pipe.declares)
        return value

    def _commands(self, pipe: Pipe, dot: Any) -> Any:
        value: Any = _NOTHING
        for command in pipe.commands:
            value = self._command(command, dot, value)
        return value

    def _bind(self, name: str, value: Any, declares: bool) -> None:
        if not declares:
            for place in range(len(self.variables) - 1, -1, -1):
                if self.variables[place][0] == name:
                    self.variables[place] = (name, value)
                    return
        self.variables.append((name, value))

    def _command(self, command: Command, dot: Any, final: Any) -> Any:
        """Evaluate one command; `final` is the pipe's value, which becomes its last argument."""
        first = command.arguments[0]
        if first.kind == "function":
            return self._call(first, command.arguments[1:], dot, final)
        arguments = command.arguments[1:]
        if first.fields:
            values = [self._operand(argument, dot) for argument in arguments]
            if final is not _NOTHING:
                values.append(final)
            return self._chain(first, self._base(first, dot), dot, values)
        if arguments or final is not _NOTHING:
            raise self._error(first, "only a function or a method can have arguments")
        return self._base(first, dot)

    def _call(self, node: Operand, arguments: list[Operand], dot: Any, final: Any) -> Any:
        name = node.value
        if name in ("and", "or"):
            return self._junction(node, arguments, dot, final)
        values = [self._operand(argument, dot) for argument in arguments]
        if final is not _NOTHING:
            values.append(final)
        try:
            return FUNCTIONS[name](*values)
        except TypeError:
            raise self._error(node, f"wrong number or kind of arguments for {name}") from None
        except FunctionError as error:
            raise self._error(node, str(error)) from None

    def _junction(self, node: Operand, arguments: list[Operand], dot: Any, final: Any) -> Any:
        if not arguments and final is _NOTHING:
            raise self._error(node, f"wrong number of arguments for {node.value}")
        value: Any = None
        for argument in arguments:
            value = self._operand(argument, dot)
            if truth(value) == (node.value == "or"):
                return value
        return value if final is _NOTHING else final

    def _operand(self, node: Operand, dot: Any) -> Any:
        if node.kind == "function":
            return self._call(node, [], dot, _NOTHING)
        value = self._base(node, dot)
        return self._chain(node, value, dot, []) if node.fields else value

    def _base(self, node: Operand, dot: Any) -> Any:
        if node.kind == "dot":
            return dot
        if node.kind == "literal":
            return node.value
        if node.kind == "pipe":
            return self._pipe(node.value, dot)
        for name, value in reversed(self.variables):
            if name == node.value:
                return value
        raise self._error(node, f"undefined variable {node.value!r}")

    def _chain(self, node: Operand, value: Any, dot: Any, arguments: list[Any]) -> Any:
        last = len(node.fields) - 1
        for place, name in enumerate(node.fields):
            value = self._field(node, value, name, arguments if place == last else [])
        return value

    def _field(self, node: Operand, value: Any, name: str, arguments: list[Any]) -> Any:
        if isinstance(value, dict):
            if name not in value:
                if isinstance(value, Struct):
                    raise self._no_field(node, value, name)
                return NO_VALUE
            result = value[name]
            if callable(result):
                return self._method(node, result, name, arguments)
        elif value is None:
            raise self._error(node, f"nil has no field {name}")
        elif isinstance(value, NoValue):
            return NO_VALUE
        else:
            methods = getattr(value, "go_methods", {})
            if name not in methods:
                raise self._error(node, f"{text_of(value)} has no field {name}")
            return self._method(node, getattr(value, methods[name]), name, arguments)
        if arguments:
            raise self._error(node, f"{name} has arguments but isn't a method")
        return result

    def _method(self, node: Operand, method: Any, name: str, arguments: list[Any]) -> Any:
        try:
            return method(*arguments)
        except TypeError:
            raise self._error(node, f"wrong number or kind of arguments for {name}") from None

    def _no_field(self, node: Node, value: Struct, name: str) -> TemplateError:
        import difflib

        lower = {field.lower(): field for field in value}
        close = [lower[word] for word in difflib.get_close_matches(name.lower(), lower, n=_SHOWN_FIELDS, cutoff=0.5)]
        fields = close or list(value)
        they_are = "Similar ones are" if close else "There are"
        more = f" and {len(fields) - _SHOWN_FIELDS} more" if len(fields) > _SHOWN_FIELDS else ""
        hint = f"{they_are}: {', '.join('.' + field for field in fields[:_SHOWN_FIELDS])}{more}"
        return TemplateError(self.text, node.position, f"no field {name}", hint=hint)

    def _error(self, node: Node, reason: str) -> TemplateError:
        return TemplateError(self.text, node.position, reason)
