"""Tokens to nodes, by text/template's grammar (pkg.go.dev/text/template)."""

from __future__ import annotations

from podpy.go.template import lexer
from podpy.go.template.errors import TemplateError
from podpy.go.template.functions import FUNCTIONS
from podpy.go.template.nodes import Action, Branch, Command, Jump, Node, Operand, Pipe, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.go.template.lexer import Token

_BRANCHES = ("if", "with", "range")
_CONSTANTS = {"true": True, "false": False, "nil": None}
_LEFT_OUT = ("define", "template", "block")


class Parser:
    """Parses one template."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = lexer.Lexer(text).run()
        self.place = 0
        self.variables = ["$"]
        self.loops = 0

    def parse(self) -> list[Node]:
        """Return the template's nodes. Raises TemplateError."""
        nodes, ending = self._list(inside="")
        if ending is not None:
            raise self._error(ending, f"unexpected {{{{{ending.value}}}}}")
        return nodes

    def _list(self, inside: str) -> tuple[list[Node], Token | None]:
        """Parse up to the template's end, {{end}} or {{else}}; the latter stay unread, and their word is returned."""
        nodes: list[Node] = []
        while True:
            token = self._next()
            if token.kind == lexer.END:
                if inside:
                    raise self._error(token, f"{{{{end}}}} is missing for {{{{{inside}}}}}")
                return nodes, None
            if token.kind == lexer.TEXT:
                nodes.append(Text(token.position, token.value))
                continue
            self._skip_space()
            word = self._peek()
            if word.kind == lexer.NAME and word.value in ("end", "else"):
                self._next()
                return nodes, word
            nodes.append(self._action(word))

    def _action(self, word: Token) -> Node:
        if word.kind == lexer.NAME:
            if word.value in _BRANCHES:
                self._next()
                return self._branch(word)
            if word.value in ("break", "continue"):
                self._next()
                if not self.loops:
                    raise self._error(word, f"{{{{{word.value}}}}} outside {{{{range}}}}")
                self._close()
                return Jump(word.position, word.value)
            if word.value in _LEFT_OUT:
                raise self._error(word, f"{{{{{word.value}}}}} isn't supported")
        pipe = self._pipe()
        self._close()
        return Action(word.position, pipe)

    def _branch(self, word: Token) -> Branch:
        depth = len(self.variables)
        pipe = self._pipe(in_range=word.value == "range")
        self._close()
        self.loops += word.value == "range"
        body, ending = self._list(inside=word.value)
        self.loops -= word.value == "range"
        otherwise: list[Node] = []
        if ending is not None and ending.value == "else":
            self._skip_space()
            again = self._peek()
            if again.kind == lexer.NAME and again.value in ("if", "with") and word.value == again.value:
                self._next()
                otherwise = [self._branch(again)]  # it reads the {{end}} that both share
                del self.variables[depth:]
                return Branch(word.position, word.value, pipe, body, otherwise)
            self._close()
            otherwise, ending = self._list(inside=word.value)
            if ending is not None and ending.value == "else":
                raise self._error(ending, "a second {{else}}")
        self._close()
        del self.variables[depth:]
        return Branch(word.position, word.value, pipe, body, otherwise)

    def _pipe(self, in_range: bool = False) -> Pipe:
        self._skip_space()
        start = self._peek()
        names, declares = self._declaration(in_range)
        commands: list[Command] = []
        while True:
            commands.append(self._command())
            token = self._peek()
            if token.kind == lexer.MARK and token.value == "|":
                self._next()
                continue
            break
        self.variables.extend(names if declares else ())
        for command in commands[1:]:
            first = command.arguments[0]
            if first.kind == "literal":
                raise TemplateError(self.text, first.position, "a pipe needs a function or method behind |")
        return Pipe(start.position, names, declares, commands)

    def _declaration(self, in_range: bool) -> tuple[list[str], bool]:
        """Parse `$a :=`, `$a, $b :=` or `$a =`, if one follows."""
        place = self.place
        names: list[str] = []
        while self._peek().kind == lexer.VARIABLE:
            names.append(self._next().value)
            self._skip_space()
            token = self._peek()
            if token.kind == lexer.MARK and token.value in (":=", "="):
                self._next()
                if token.value == "=":
                    for name in names:
                        self._known(name, token)
                return names, token.value == ":="
            if not (token.kind == lexer.MARK and token.value == "," and in_range and len(names) == 1):
                break
            self._next()
            self._skip_space()
        self.place = place
        return [], False

    def _command(self) -> Command:
        arguments: list[Operand] = []
        self._skip_space()
        start = self._peek()
        while True:
            arguments.append(self._operand())
            token = self._peek()
            if token.kind == lexer.SPACE:
                self._next()
                token = self._peek()
                if token.kind != lexer.CLOSE and not (token.kind == lexer.MARK and token.value in ("|", ")")):
                    continue
            if token.kind == lexer.CLOSE or (token.kind == lexer.MARK and token.value in ("|", ")")):
                return Command(start.position, arguments)
            raise self._unexpected(token)

    def _operand(self) -> Operand:
        token = self._next()
        kind, value = token.kind, token.value
        if kind == lexer.FIELD:
            return Operand(token.position, "dot", None, [value, *self._fields()])
        if kind == lexer.MARK and value == ".":
            return Operand(token.position, "dot", None, [])
        if kind == lexer.VARIABLE:
            self._known(value, token)
            return Operand(token.position, "variable", value, self._fields())
        if kind == lexer.LITERAL:
            return Operand(token.position, "literal", value, [])
        if kind == lexer.MARK and value == "(":
            pipe = self._pipe()
            self._expect(")")
            return Operand(token.position, "pipe", pipe, self._fields())
        if kind == lexer.NAME:
            if value in _CONSTANTS:
                return Operand(token.position, "literal", _CONSTANTS[value], [])
            self._known_function(token)
            return Operand(token.position, "function", value, [])
        raise self._unexpected(token)

    def _fields(self) -> list[str]:
        names = []
        while self._peek().kind == lexer.FIELD:
            names.append(self._next().value)
        return names

    def _known(self, name: str, token: Token) -> None:
        if name not in self.variables:
            raise self._error(token, f"undefined variable {name!r}")

    def _known_function(self, token: Token) -> None:
        if token.value in FUNCTIONS:
            return
        from podpy.suggest import similar

        close = similar(token.value, list(FUNCTIONS))
        hint = f"Did you mean {close}?" if close else f"A field is written with a dot: .{token.value}"
        raise TemplateError(self.text, token.position, f"function {token.value!r} not defined", hint=hint)

    def _next(self) -> Token:
        token = self.tokens[self.place]
        if token.kind != lexer.END:
            self.place += 1
        return token

    def _peek(self) -> Token:
        return self.tokens[self.place]

    def _skip_space(self) -> None:
        while self._peek().kind == lexer.SPACE:
            self.place += 1

    def _close(self) -> None:
        self._skip_space()
        token = self._next()
        if token.kind != lexer.CLOSE:
            raise self._unexpected(token)

    def _expect(self, mark: str) -> None:
        self._skip_space()
        token = self._next()
        if token.kind != lexer.MARK or token.value != mark:
            raise self._error(token, f"{mark} is missing")

    def _unexpected(self, token: Token) -> TemplateError:
        if token.kind == lexer.CLOSE:
            return self._error(token, "a value is missing before }}")
        return self._error(token, f"unexpected {token.value!r}")

    def _error(self, token: Token, reason: str) -> TemplateError:
        return TemplateError(self.text, token.position, reason)
