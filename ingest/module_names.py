"""A module's source -> the names that can be imported from it, without running it.

What cannot be known from the source makes the module open: nothing is said about a name that is missing in it.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

PYTHON = (3, 11)
"""The version that the chapters pin; branches for others are left out."""

_COMPARISONS = {ast.GtE: operator.ge, ast.Gt: operator.gt, ast.Lt: operator.lt, ast.LtE: operator.le}
_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
_WRITERS = frozenset({"exec", "recreate_module", "attach", "attach_stub", "extend_path"})


@dataclass(slots=True)
class Source:
    """What a module's source binds at its top level.

    `stars` are the modules whose names it takes over, `gives` the names that it puts into other modules, `exported`
    is `__all__` where it is written out. `more_names` and `more_modules` tell that it makes names or modules in ways
    that cannot be read.
    """

    names: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    gives: list[tuple[str, str]] = field(default_factory=list)
    exported: frozenset[str] | None = None
    more_names: bool = False
    more_modules: bool = False

    def __or__(self, other: Source) -> Source:
        return Source(
            self.names | other.names,
            [*self.stars, *other.stars],
            [*self.gives, *other.gives],
            self.exported if other.exported is None else other.exported | (self.exported or frozenset()),
            self.more_names or other.more_names,
            self.more_modules or other.more_modules,
        )


def read(code: bytes, module: str, is_package: bool) -> Source:
    """Read a module's source.

    Raises:
        SyntaxError: it is not Python, such as a template.
    """
    tree = ast.parse(code)
    source = Source(exported=_exported(tree))
    package = module if is_package else module.rpartition(".")[0]
    modules: dict[str, str] = {}
    for node in _top_level(tree.body):
        _bind(node, source, package)
        _give(node, source, package, modules)
    for statement in tree.body:
        if not (isinstance(statement, ast.FunctionDef) and statement.name == "__getattr__"):  # it keeps what it made
            for node in ast.walk(statement):
                _open(node, source)
    if "__getattr__" in source.names or source.more_names:
        # Names that are made when they are asked for stand in the source as strings, and in `__all__` where it is
        # written out: then there are no others.
        source.names |= _names_in_strings(tree)
        source.more_names = source.more_modules or not source.exported
    return source


def _names_in_strings(tree: ast.Module) -> set[str]:
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in strings if isinstance(text, str) and text.isidentifier()}


def _top_level(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Every node that runs in the module's own scope, but not what stands within functions and classes."""
    for node in body:
        yield node
        if isinstance(node, _SCOPES):
            continue
        if isinstance(node, ast.If) and (holds := _version_test(node.test)) is not None:
            yield from _top_level(node.body if holds else node.orelse)
        else:
            yield from _top_level(list(ast.iter_child_nodes(node)))


def _version_test(test: ast.expr) -> bool | None:
    """What a comparison of `sys.version_info` gives for our Python; None for any other test."""
    match test:
        case ast.Compare(left=ast.Attribute(attr="version_info"), ops=[op], comparators=[ast.Tuple() as version]):
            compare = _COMPARISONS.get(type(op))
            return compare(PYTHON, ast.literal_eval(version)[:2]) if compare else None
        case _:
            return None


def _bind(node: ast.AST, source: Source, package: str) -> None:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            source.names.add(name)
        case ast.Import(names=aliases):
            source.names.update(alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.ImportFrom(names=aliases):
            source.names |= {alias.asname or alias.name for alias in aliases} - {"*"}
            if aliases[0].name == "*":
                source.stars.append(_absolute(node, package))
        case ast.Name(id=name, ctx=ast.Store()) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            source.names.add(name)
        case _:
            pass


def _give(node: ast.AST, source: Source, package: str, modules: dict[str, str]) -> None:
    """`base.dialect = …` puts a name into the module `base`; `modules` holds what could be one, by its name here."""
    match node:
        case ast.Import(names=aliases):
            modules.update((alias.asname, alias.name) for alias in aliases if alias.asname)
        case ast.ImportFrom(names=aliases):
            target = _absolute(node, package)
            modules.update((alias.asname or alias.name, f"{target}.{alias.name}") for alias in aliases)
        case ast.Attribute(value=ast.Name(id=owner), attr=name, ctx=ast.Store()) if owner in modules:
            source.gives.append((modules[owner], name))
        case _:
            pass


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that a `from` import names, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _open(node: ast.AST, source: Source) -> None:
    """Mark the source where a node binds names of modules by other means than statements."""
    match node:
        case ast.Global(names=names):
            source.names.update(names)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _WRITERS:
            source.more_names = source.more_modules = True
        case ast.Call(func=ast.Name(id="setattr"), args=[target, *_]) if "module" in ast.unparse(target):
            source.more_names = True
        case ast.Subscript(value=ast.Call(func=ast.Name(id="globals" | "vars" | "locals")), ctx=ast.Store()):
            source.more_names = True
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="globals" | "vars" | "locals")), attr=name)):
            source.more_names |= name in ("update", "setdefault", "__setitem__")
        case ast.Assign(value=ast.Call(func=ast.Name(id="globals" | "vars"), args=[])):
            source.more_names = True  # it is written to under another name
        case ast.Call(args=arguments) if any(map(_is_globals, arguments)):
            source.more_names = True
        case ast.Subscript(value=ast.Attribute(attr="modules"), ctx=ast.Store()):
            source.more_names = source.more_modules = True
        case ast.Call(func=ast.Attribute(attr="setdefault" | "update", value=ast.Attribute(attr="modules"))):
            source.more_names = source.more_modules = True
        case _:
            pass


def _exported(tree: ast.Module) -> frozenset[str] | None:
    """The names of `__all__`; None where there is none, or where it is put together out of other values."""
    names: frozenset[str] | None = None
    if any(isinstance(node, ast.Attribute) and _is_all(node.value) for node in ast.walk(tree)):  # `__all__.append`
        return None
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
                | ast.AugAssign(target=ast.Name(id="__all__"), value=value)
            ):
                try:
                    names = (names or frozenset()) | frozenset(ast.literal_eval(value))
                except ValueError:
                    return None
            case _:
                pass
    return names


def _is_globals(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals"


def _is_all(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "__all__"
