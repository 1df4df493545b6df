"""Small errors for Python source: each mutant is one change to the number a module computes.

What is changed: an arithmetic operator, a comparison, a logical operator, a number (one more,
one less, zero), a sign, a returned value (1 % more), the arguments of a call (one dropped, two
swapped), the branch of a condition.

What is not: functions that draw random numbers, which are simulators and no formulas (they take
``rng``), and the module's constants that only they read; text, annotations, decorators, `raise`
statements, `np.errstate`, arguments that set only accuracy, speed or storage (see `ASIDE`), and
the bodies of classes outside their methods.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

BINARY = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.Pow: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
COMPARISON = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
UNTOUCHED = (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.JoinedStr, ast.pattern)
COMMUTE = {"max", "maximum", "min", "minimum", "hypot"}
INFINITE = {"float('inf')", "math.inf", "np.inf"}
ASIDE = {"dtype", "optimize", "options", "strict", "xtol"}
FIELDS = {"annotation", "returns", "decorator_list", "type_params"}
WIDTH = 72  # of the text that names a mutant


@dataclass
class Mutant:
    """One change to a module: `plant` makes it in the syntax tree that all mutants share.

    Attributes
    ----------
    name : str
        Function, what it says, and what is planted.
    lines : set of int
        A test that runs none of these lines cannot notice.
    """

    name: str
    lines: set[int]
    tree: ast.Module = field(repr=False)
    where: tuple = field(repr=False)  # parent node, its field, and the place in it if it is a list
    new: ast.AST = field(repr=False)

    def plant(self) -> ast.Module:
        _put(self.where, self.new)
        return ast.fix_missing_locations(self.tree)


def mutants(source: str) -> list[Mutant]:
    r"""Every mutant of ``source``, in the order of its text.

    Examples
    --------
    >>> [mutant.name for mutant in mutants("def half(x):\n    return x / 2")]
    ... # doctest: +NORMALIZE_WHITESPACE
    ['half: return x / 2 → return 1.01 * (x / 2)', 'half: return x / 2 → return x * 2',
     'half: return x / 2 → return x / 3', 'half: return x / 2 → return x / 1',
     'half: return x / 2 → return x / 0']
    """
    tree = ast.parse(source)
    simulators = [node for node in tree.body if _draws(node)]
    formulas = [node for node in tree.body if node not in simulators]
    only_there = _names_read(simulators) - _names_read(formulas)
    skipped = [*simulators, *(node for node in tree.body if _assigned(node) in only_there)]
    found = [
        Mutant(_name(path, where, new), _lines(path), tree, where, new)
        for path, where in _nodes(tree, ())
        if path[1] not in skipped
        for new in _variants(path[-1])
    ]
    seen = Counter()
    for mutant in found:  # the same words twice in one function: tell them apart
        seen[mutant.name] += 1
        if seen[mutant.name] > 1:
            mutant.name += f" ({seen[mutant.name]})"
    return found


def _draws(node) -> bool:
    """Whether this is a function with an argument ``rng``."""
    if not isinstance(node, ast.FunctionDef):
        return False
    return "rng" in {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}


def _names_read(nodes) -> set[str]:
    loads = (name for node in nodes for name in ast.walk(node) if isinstance(name, ast.Name))
    return {name.id for name in loads if isinstance(name.ctx, ast.Load)}


def _assigned(node) -> str | None:
    """The name that this statement gives a value to."""
    return ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else None


def _nodes(node, path) -> Iterator[tuple]:
    """Each node under ``node`` that may be changed, with its ancestors and its place."""
    path = (*path, node)
    for name, value in ast.iter_fields(node):
        if name in FIELDS:
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or isinstance(child, UNTOUCHED) or _aside(child):
                continue
            if isinstance(node, ast.ClassDef) and not isinstance(child, ast.FunctionDef):
                continue
            yield (*path, child), (node, name, index if isinstance(value, list) else None)
            yield from _nodes(child, path)


def _aside(node) -> bool:
    """Whether ``node`` only keeps a warning quiet, or sets accuracy, speed or storage."""
    if isinstance(node, ast.keyword):
        return node.arg in ASIDE
    return isinstance(node, ast.withitem) and "errstate" in ast.unparse(node)


def _variants(node) -> Iterator[ast.AST]:
    """What ``node`` may be changed to."""
    match node:
        case ast.BinOp(left, op, right) if type(op) in BINARY:
            yield ast.BinOp(left, BINARY[type(op)](), right)
        case ast.AugAssign(target, op, value) if type(op) in BINARY:
            yield ast.AugAssign(target, BINARY[type(op)](), value)
        case ast.Compare(left, ops, others):
            for k, op in enumerate(ops):
                for new in COMPARISON[type(op)]:
                    yield ast.Compare(left, [*ops[:k], new(), *ops[k + 1 :]], others)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield operand
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield from (ast.Constant(n) for n in _numbers_near(value))
        case ast.Return(value) if value is not None:
            yield from (ast.Return(more) for more in _one_percent_more(value))
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.If(test, body, orelse) if not isinstance(test, ast.Compare | ast.UnaryOp):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Call(function, args, keywords):
            for k in range(len(keywords)):
                if keywords[k].arg in ASIDE:
                    continue
                yield ast.Call(function, args, keywords[:k] + keywords[k + 1 :])
            if len(args) > 1:
                yield ast.Call(function, args[:-1], keywords)
                if _order_matters(function, args):
                    yield ast.Call(function, [args[1], args[0], *args[2:]], keywords)


def _numbers_near(value):
    return [near for near in dict.fromkeys((value + 1, value - 1, 0)) if near != value]


def _order_matters(function, args):
    """Whether to swap the first two arguments: not a name in a message, nor what commutes."""
    is_text = isinstance(args[0], ast.Constant) and isinstance(args[0].value, str)
    return not is_text and ast.unparse(function).rpartition(".")[2] not in COMMUTE


def _one_percent_more(value) -> Iterator[ast.AST]:
    """The returned value, or one entry of a returned tuple, made 1 % larger."""
    if isinstance(value, ast.Tuple):
        for k, entry in enumerate(value.elts):
            for more in _one_percent_more(entry):
                yield ast.Tuple([*value.elts[:k], more, *value.elts[k + 1 :]], ast.Load())
    elif not isinstance(value, ast.Constant) or value.value not in (None, 0, True):
        name = ast.unparse(value)
        if not name[0].isupper() and name not in INFINITE:  # a class's name: no number
            yield ast.BinOp(ast.Constant(1.01), ast.Mult(), value)


def _name(path, where, new) -> str:
    """The function, and the widest expression around the change that is still short."""
    function = ".".join(
        node.name for node in path if isinstance(node, ast.FunctionDef | ast.ClassDef)
    )
    old, shown = path[-1], path[-1]
    for node in reversed(path):
        if isinstance(node, ast.mod) or len(_text(node)) > WIDTH:
            break
        if isinstance(node, ast.expr | ast.stmt):
            shown = node
        if isinstance(node, ast.stmt):
            break
    before = _text(shown)
    _put(where, new)
    after = _text(new if shown is old else shown)
    _put(where, old)
    return f"{function or 'module'}: {before} → {after}"


def _text(node) -> str:
    """The node as code on one line; only the head of a compound statement."""
    text = ast.unparse(node)
    if getattr(node, "body", None) and isinstance(node, ast.stmt):
        text = text.partition("\n")[0]
    return " ".join(text.split())


def _lines(path) -> set[int]:
    """Lines of the statement that is changed; of its head if it holds other statements."""
    statement = next((node for node in reversed(path) if isinstance(node, ast.stmt)), path[-1])
    if isinstance(statement, ast.FunctionDef):  # a default value: every line of the body
        return set(range(statement.body[0].lineno, statement.end_lineno + 1))
    end = statement.end_lineno
    if getattr(statement, "body", None):
        end = max(statement.lineno, statement.body[0].lineno - 1)
    return set(range(statement.lineno, end + 1))


def _put(where, node):
    parent, name, index = where
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node
