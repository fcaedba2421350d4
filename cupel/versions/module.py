"""What a module defines: each name at its top level, with what its definition says and what it refers to."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, TypeAlias

# A name of a module: (`cupel.lake.lake`, `Lake`). The whole module: (`cupel.lake.lake`, None).
Name: TypeAlias = tuple[str, str | None]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, *_COMPREHENSIONS)
_BINDERS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)
_BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While)
# What a project has one of. Its functions are called as `project.kind.parse(...)`, or as those of an argument `kind`;
# of a section of settings its properties are meant, as `labeling.ontology`.
CONTRACTS = ("kind", "modality", "labeling")
# Arguments that only people read: a table's row, a column's meaning.
_PROSE = {"Column": 2, "Table": 1}


class Definition(NamedTuple):
    """What a top-level statement says and refers to.

    Attributes:
        sha256: Hash of its syntax tree, without comments, docstrings and layout.
        names: Names of the same module, or imported by it, that it refers to; `alias.name` where it
            takes a name from an imported module.
        imports: What it imports itself, inside a function.
        strings: Its string constants that could be the name of a file.
        uses: What it takes from the project's label kind, modality or settings, whatever these are: `kind.parse` of
            `project.kind.parse(...)`.
        choices: Where it is a `Variants(setting, {option: ...})`: the setting, and what each option refers to.
    """

    sha256: str
    names: tuple[str, ...]
    imports: tuple[Name, ...]
    strings: tuple[str, ...]
    uses: tuple[str, ...] = ()
    choices: tuple[str, dict[str, tuple[str, ...]]] | None = None


@dataclass(frozen=True)
class Module:
    """A module, read and taken apart.

    Attributes:
        name: Dotted name.
        definitions: The statements that bind each name, in their order.
        imported: What each imported name stands for.
        effects: Statements that bind nothing, and blocks: what acts when the module is imported.
    """

    name: str
    definitions: dict[str, list[Definition]] = field(default_factory=dict)
    imported: dict[str, Name] = field(default_factory=dict)
    effects: list[Definition] = field(default_factory=list)


def read_module(name: str, source: str, is_package: bool = False) -> Module:
    """Take a module apart.

    Args:
        name: Dotted name.
        source: Its text.
        is_package: It is a package's `__init__`.

    Raises:
        SyntaxError: The text is no Python, or imports all names of another module.
    """
    module = Module(name)
    package = name if is_package else name.rpartition(".")[0]
    for statement in ast.parse(source).body:
        _add(module, statement, package)
    return module


def _add(module: Module, statement: ast.stmt, package: str) -> None:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        module.imported.update(_imported(statement, package))
        return
    if isinstance(statement, ast.If) and _is_for_types(statement.test):
        for other in statement.orelse:
            _add(module, other, package)
        return
    if isinstance(statement, _BLOCKS):
        for inner in ast.walk(statement):
            if isinstance(inner, ast.Import | ast.ImportFrom):
                module.imported.update(_imported(inner, package))
    if _is_docstring(statement):
        return
    bound, definition = set(_bound(statement)), _define(statement, package)
    for name in bound:
        module.definitions.setdefault(name, []).append(definition)
    # A block may act, too: fill what is defined before it, or import one of two things under a name.
    if not bound or isinstance(statement, _BLOCKS):
        module.effects.append(definition)


def _imported(statement: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, Name]]:
    """Yield the names that an import binds, and what each stands for."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            first = alias.name.partition(".")[0]
            yield (alias.asname, (alias.name, None)) if alias.asname else (first, (first, None))
        return
    base = statement.module or ""
    if statement.level:
        above = package.split(".")[: len(package.split(".")) - statement.level + 1]
        base = ".".join([*above, base]) if base else ".".join(above)
    for alias in statement.names:
        if alias.name == "*":
            raise SyntaxError(f"{package}: imports all names of {base}; name those that are needed")
        yield alias.asname or alias.name, (base, alias.name)


def _imported_names(statement: ast.Import | ast.ImportFrom, package: str) -> Iterator[Name]:
    """Yield what an import is after: of `import a.b` that is `a.b`, although it binds `a`."""
    if isinstance(statement, ast.Import):
        yield from ((alias.name, None) for alias in statement.names)
        return
    yield from (name for _, name in _imported(statement, package))


def _is_for_types(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _bound(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds where it stands."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    for inner in _of_scope(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, _BINDERS) and inner.name:
            yield inner.name
        elif isinstance(inner, ast.MatchMapping) and inner.rest:
            yield inner.rest


def _of_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it that share its scope: scopes within it, but not what is in them."""
    waiting: list[ast.AST] = [node]
    while waiting:
        node = waiting.pop()
        yield node
        children = ast.iter_child_nodes(node)
        waiting.extend(_outer_parts(node) if isinstance(node, _SCOPES) else children)


def _outer_parts(scope: ast.AST) -> Iterable[ast.AST]:
    """Return what of a function, class or comprehension is evaluated in the scope around it."""
    if isinstance(scope, _COMPREHENSIONS):
        walrus = (inner for inner in ast.walk(scope) if isinstance(inner, ast.NamedExpr))
        return [scope.generators[0].iter, *(inner.target for inner in walrus)]
    if isinstance(scope, ast.ClassDef):
        return [*scope.decorator_list, *scope.bases, *scope.keywords]
    arguments = scope.args  # type: ignore[attr-defined]
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    parts = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
    parts += [argument.annotation for argument in named if argument is not None and argument.annotation is not None]
    if not isinstance(scope, ast.Lambda):
        parts += [*scope.decorator_list, *filter(None, [scope.returns])]  # type: ignore[attr-defined]
    return parts


class _Reader:
    """Gathers what a statement refers to, scope by scope."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.names: dict[str, None] = {}
        self.imports: dict[Name, None] = {}
        self.strings: dict[str, None] = {}
        self.uses: dict[str, None] = {}

    def read(self, node: ast.AST, hidden: frozenset[str] = frozenset()) -> None:
        """Gather from a node, in a scope where some names are its own."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.imports.update(dict.fromkeys(_imported_names(node, self.package)))
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load) and node.id not in hidden:
                self.names[node.id] = None
        elif isinstance(node, ast.Attribute):
            self._read_attribute(node, hidden)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and _may_be_file(node.value):
                self.strings[node.value] = None
        elif isinstance(node, _SCOPES):
            self._read_scope(node, hidden)
        else:
            for child in ast.iter_child_nodes(node):
                self.read(child, hidden)

    def _read_attribute(self, node: ast.Attribute, hidden: frozenset[str]) -> None:
        parts, base = [node.attr], node.value
        while isinstance(base, ast.Attribute):
            parts.append(base.attr)
            base = base.value
        named = [*([base.id] if isinstance(base, ast.Name) else []), *reversed(parts)]
        self.uses.update({f"{owner}.{name}": None for owner, name in pairwise(named) if owner in CONTRACTS})
        if isinstance(base, ast.Name) and base.id not in hidden:
            self.names[".".join([base.id, *reversed(parts)])] = None
        else:
            self.read(base, hidden)

    def _read_scope(self, scope: ast.AST, hidden: frozenset[str]) -> None:
        outer = list(_outer_parts(scope))
        for part in outer:
            self.read(part, hidden)
        inner = hidden if isinstance(scope, ast.ClassDef) else hidden | _own_names(scope)
        seen = set(map(id, outer))
        for child in ast.iter_child_nodes(scope):
            if isinstance(child, ast.arguments):
                continue
            if id(child) not in seen:
                self.read(child, inner)


def _own_names(scope: ast.AST) -> frozenset[str]:
    """Return the names that a function or comprehension binds for itself."""
    if isinstance(scope, _COMPREHENSIONS):
        targets = (inner for part in scope.generators for inner in ast.walk(part.target))
        return frozenset(inner.id for inner in targets if isinstance(inner, ast.Name))
    arguments = scope.args  # type: ignore[attr-defined]
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    own = {argument.arg for argument in named if argument is not None}
    if isinstance(scope, ast.Lambda):
        return frozenset(own)
    elsewhere: set[str] = set()
    for statement in scope.body:  # type: ignore[attr-defined]
        own.update(_bound(statement))
        for inner in _of_scope(statement):
            if isinstance(inner, ast.Global | ast.Nonlocal):
                elsewhere.update(inner.names)
            elif isinstance(inner, ast.Import | ast.ImportFrom):
                own.update(alias.asname or alias.name.partition(".")[0] for alias in inner.names)
    return frozenset(own - elsewhere)


def _define(statement: ast.stmt, package: str) -> Definition:
    reader = _Reader(package)
    reader.read(statement)
    return Definition(
        _hash(statement),
        tuple(reader.names),
        tuple(reader.imports),
        tuple(reader.strings),
        tuple(reader.uses),
        _choices(statement, package),
    )


def _choices(statement: ast.stmt, package: str) -> tuple[str, dict[str, tuple[str, ...]]] | None:
    """Return setting and options of a statement `NAME = Variants("a.setting", {option: value, ...})`."""
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.Call) or _called(value) != "Variants":
        return None
    setting, options = value.args
    if not isinstance(setting, ast.Constant) or not isinstance(options, ast.Dict):
        raise SyntaxError("Variants: name the setting in quotes and the options in a dictionary, in place")
    found: dict[str, tuple[str, ...]] = {}
    for key, option in zip(options.keys, options.values, strict=True):
        reader = _Reader(package)
        reader.read(option)
        found[str(getattr(key, "value", None))] = tuple(reader.names)
    return str(setting.value), found


def _called(call: ast.Call) -> str:
    function = call.func
    while isinstance(function, ast.Subscript):
        function = function.value
    return function.id if isinstance(function, ast.Name) else ""


def _may_be_file(text: str) -> bool:
    return "." in text and len(text) <= 100 and text.isprintable() and " " not in text


def _hash(statement: ast.stmt) -> str:
    """Return the hash of a statement's syntax tree, without docstrings and without what only people read."""
    parts: list[str] = []
    waiting: list[object] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.AST):
            parts.append(type(node).__name__)
            place = _PROSE.get(_called(node)) if isinstance(node, ast.Call) else None
            for name in node._fields:
                value = getattr(node, name, None)
                if name == "body" and isinstance(value, list):
                    value = [inner for inner in value if not _is_docstring(inner)]
                if name == "args" and place is not None and isinstance(value, list):
                    value = [*value[:place], *value[place + 1 :]]
                waiting.append(value)
        elif isinstance(node, list):
            parts.append(str(len(node)))
            waiting.extend(node)
        else:
            parts.append(repr(node))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
