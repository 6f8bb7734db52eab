"""Mutants of a module: its syntax tree with one thing changed.

What is not mutated, because no test could or should tell: docstrings and other text, messages (arguments of what is
raised), annotations, decorators, `strict=` of zip, `__slots__`, imports.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_SWAPS: Final[dict[type[ast.AST], tuple[type[ast.AST], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitAnd,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}
_NAMES: Final = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "any": "all",
    "all": "any",
    "zeros": "ones",
    "ones": "zeros",
}
"""Functions that are mistaken for each other."""
_SIDES: Final = {"left": "right", "right": "left"}
_SYMMETRIC: Final = ("min", "max", "minimum", "maximum", "fmin", "fmax", "array_equal")
"""Functions whose first two arguments may change places."""


@dataclass(frozen=True)
class Mutant:
    """One change. place: which, in the order of `mutants`; before, after: the statement it is in, or its head."""

    module: str
    place: int
    line: int
    operator: str
    before: str
    after: str


@dataclass
class _Change:
    """A change that can be made to a tree and taken back."""

    parent: ast.AST
    field: str
    index: int | None
    old: Any
    new: Any
    operator: str

    def make(self, node: Any) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def mutants(module: str, source: str) -> list[Mutant]:
    """Return every mutant of a module's source, in the order of its text."""
    found = []
    for place, (change, statement) in enumerate(_changes(ast.parse(source), None)):
        line = getattr(change.old, "lineno", getattr(change.parent, "lineno", statement.lineno))
        before = _head(statement)
        change.make(change.new)
        after = _head(change.new if change.old is statement else statement)
        change.make(change.old)
        found.append(Mutant(module, place, line, change.operator, before, after))
    return found


def mutated(source: str, place: int) -> ast.Module:
    """Return the tree of the mutant at a place."""
    tree = ast.parse(source)
    for at, (change, _) in enumerate(_changes(tree, None)):
        if at == place:
            change.make(change.new)
            return ast.fix_missing_locations(tree)
    raise IndexError(f"place must be below the number of mutants, got {place}")


def _changes(node: ast.AST, statement: ast.stmt | None) -> Iterator[tuple[_Change, ast.stmt]]:
    """Yield the changes below a node, and the statement each one is in."""
    for parent, field, index, child in _children(node):
        inside = child if isinstance(child, ast.stmt) else statement
        if _is_left_alone(parent, field, child):
            continue
        if inside is not None:
            for operator, new in _replacements(child):
                located = ast.copy_location(new, child) if hasattr(child, "lineno") else new
                yield _Change(parent, field, index, child, located, operator), inside
        yield from _changes(child, inside)


def _children(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield node, field, index, child
        elif isinstance(value, ast.AST):
            yield node, field, None, value


def _is_left_alone(parent: ast.AST, field: str, child: ast.AST) -> bool:
    if field in ("annotation", "returns", "decorator_list", "bases"):
        return True
    if isinstance(parent, ast.Raise) and field == "exc":
        return True
    if isinstance(parent, ast.Subscript) and isinstance(parent.value, ast.Name) and field == "slice":
        return parent.value.id in ("list", "dict", "tuple", "deque", "array", "Callable")  # a type
    if isinstance(child, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "__slots__" for target in child.targets)
    if isinstance(child, ast.keyword):
        return child.arg == "strict"
    is_text = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
    return is_text or isinstance(child, ast.Import | ast.ImportFrom | ast.JoinedStr)


Replacement = tuple[str, ast.AST]
"""An operator, and what stands in for the node."""


def _replacements(node: ast.AST) -> Iterator[Replacement]:
    for other in _SWAPS.get(type(node), ()):
        yield "operator", other()
    if isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.UAdd):
        yield "sign", node.operand
    elif isinstance(node, ast.Name) and node.id in _NAMES:
        yield "function", ast.Name(_NAMES[node.id], node.ctx)
    elif isinstance(node, ast.Attribute) and node.attr in _NAMES:
        yield "function", ast.Attribute(node.value, _NAMES[node.attr], node.ctx)
    elif isinstance(node, ast.Call):
        yield from _arguments(node)
    elif isinstance(node, ast.Slice):
        yield from _slices(node)
    elif isinstance(node, ast.keyword) and node.arg == "axis" and not isinstance(node.value, ast.Tuple):
        yield "axis", ast.keyword("axis", ast.Constant(1 if ast.unparse(node.value) == "0" else 0))
    elif isinstance(node, ast.IfExp | ast.If | ast.While):
        negated = copy.copy(node)
        negated.test = ast.UnaryOp(ast.Not(), node.test)
        yield "condition", negated
    elif isinstance(node, ast.stmt):
        yield from _statements(node)


def _constants(node: ast.Constant) -> Iterator[Replacement]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int):
        yield "constant", ast.Constant(value + 1)
        yield "constant", ast.Constant(value - 1)
    elif isinstance(value, float):
        yield "constant", ast.Constant(value * 2 if value else 1.0)
    elif isinstance(value, str) and value in _SIDES:
        yield "constant", ast.Constant(_SIDES[value])


def _arguments(node: ast.Call) -> Iterator[Replacement]:
    if len(node.args) < 2 or any(isinstance(argument, ast.Starred) for argument in node.args[:2]):
        return
    first, second, *rest = node.args
    if ast.unparse(node.func).split(".")[-1] not in _SYMMETRIC and ast.dump(first) != ast.dump(second):
        yield "arguments", ast.Call(node.func, [second, first, *rest], node.keywords)


def _slices(node: ast.Slice) -> Iterator[Replacement]:
    if node.lower is not None:
        yield "slice", ast.Slice(None, node.upper, node.step)
    if node.upper is not None:
        yield "slice", ast.Slice(node.lower, None, node.step)


def _statements(node: ast.stmt) -> Iterator[Replacement]:
    """Yield the statement left out; not that of a plain name, which the next line would miss."""
    if isinstance(node, ast.Return):
        if node.value is not None and ast.unparse(node.value) != "None":
            yield "return", ast.Return(ast.Constant(None))
        return
    stored = isinstance(node, ast.Assign) and not all(isinstance(target, ast.Name) for target in node.targets)
    if stored or isinstance(node, ast.Expr | ast.AugAssign | ast.Raise | ast.Continue | ast.Break | ast.Delete):
        yield "statement", ast.Pass()


def _head(statement: ast.AST) -> str:
    """Return a statement's text in one line, without the bodies it holds."""
    text = ast.unparse(statement)
    if isinstance(statement, ast.FunctionDef | ast.If | ast.For | ast.While | ast.With | ast.ClassDef | ast.Try):
        text = text.partition(":\n")[0]
    return " ".join(text.split())
