"""Removes from a module what only a type checker reads."""

from __future__ import annotations

import ast


def lean(tree: ast.Module) -> ast.Module:
    """Return a module's tree without what only a type checker reads."""
    return _Lean().visit(tree)  # type: ignore[no-any-return]


class _Lean(ast.NodeTransformer):
    """Removes annotations, `if TYPE_CHECKING:`, `from __future__`.

    They were a tenth of the code, and reading code is most of a module's cost. A class's body keeps its annotated
    names, for podpy.record, all with the type None.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        given = node.args
        for argument in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]:
            if argument is not None:
                argument.annotation = None
        node.returns = None
        return self.generic_visit(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [left for child in node.body for left in self._plain(child)]
        return self.generic_visit(node)

    def _plain(self, node: ast.stmt) -> list[ast.stmt]:
        """Return a statement without its variable's type; nothing if it has no value."""
        if not isinstance(node, ast.AnnAssign):
            return [node]
        if node.value is None:
            return [] if isinstance(node.target, ast.Name) else [node]
        return [ast.copy_location(ast.Assign([node.target], node.value), node)]

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.copy_location(ast.Constant(None), node.annotation)
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return [statement for child in node.orelse for statement in [self.visit(child)]]
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        target = node.targets[0]
        is_switch = isinstance(target, ast.Name) and target.id == "TYPE_CHECKING"
        return None if is_switch else self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.module == "__future__" else node
