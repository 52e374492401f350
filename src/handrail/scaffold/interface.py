"""What a project uses of the engine, compared with what a newer one has: by reading, nothing is imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, Signature
from pathlib import Path
from typing import NamedTuple

PACKAGE = "handrail"
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
# A decorator that is not one of these may change what a function is called with.
HARMLESS = {"contextmanager", "cache", "lru_cache"}
DEEPEST = 5


class Use(NamedTuple):
    """A name of the engine in a project's file, in full; and the call, if it is called."""

    line: int
    name: str
    call: ast.Call | None = None


@dataclass(frozen=True)
class Module:
    """A module of the engine: the names of its modules inside, and its text as a tree."""

    tree: ast.Module
    inside: frozenset[str]

    @cached_property
    def defined(self) -> dict[str, ast.stmt]:
        """What each name in it stands for: a definition, an import, or an assignment."""
        return {name: statement for statement in top_level(self.tree) for name in names_of(statement)}

    @cached_property
    def names(self) -> set[str]:
        """Every name that can be had from it: lazy ones and modules inside too."""
        lazy = set()
        if "__getattr__" in self.defined:
            tables = (node for node in ast.walk(self.tree) if isinstance(node, ast.Dict))
            lazy = {str(key.value) for table in tables for key in table.keys if isinstance(key, ast.Constant)}
        return {*self.defined, *lazy, *self.inside}


class Engine:
    """An engine in a folder `handrail`: its modules, each read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """Return a module by its full name, None where there is none."""
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def _read(self, name: str) -> Module | None:
        path = self.folder.joinpath(*name.split(".")[1:])
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                inside = file.parent.iterdir() if file.name == "__init__.py" else ()
                found = {
                    each.stem for each in inside if each.suffix == ".py" or (each / "__init__.py").is_file()
                }
                return Module(ast.parse(file.read_text(encoding="utf-8")), frozenset(found - {"__init__"}))
        return None

    def has(self, name: str) -> bool:
        """Return whether a full name is there; what is behind a class or a function is not looked at."""
        module, rest = self._split(name)
        return module is not None and (not rest or rest[0] in module.names)

    def signature(self, name: str) -> Signature | None:
        """Return what a function, or a class with its own `__init__`, is called with, if that is sure."""
        for _ in range(DEEPEST):
            module, rest = self._split(name)
            found = module.defined.get(rest[0]) if module and len(rest) == 1 else None
            if not isinstance(found, ast.ImportFrom) or found.level or not found.module:
                return signature(found)
            original = next(each.name for each in found.names if (each.asname or each.name) == rest[0])
            name = f"{found.module}.{original}"
        return None

    def places(self, wanted: str) -> list[str]:
        """Return the full names under which something of a name is defined now."""
        found = []
        for path in sorted(self.folder.rglob("*.py")):
            inner = path.relative_to(self.folder).with_suffix("").parts
            name = ".".join([PACKAGE, *inner]).removesuffix(".__init__")
            module = self.module(name)
            if module and isinstance(module.defined.get(wanted), FUNCTION | ast.ClassDef | ast.Assign):
                found.append(f"{name}.{wanted}")
        return found

    def _split(self, name: str) -> tuple[Module | None, list[str]]:
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            if module := self.module(".".join(parts[:length])):
                return module, parts[length:]
        return None, parts


def top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those inside `if`, `try` and `with` too."""
    waiting = list(tree.body)
    while waiting:
        statement = waiting.pop(0)
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With):
            for part in ("body", "orelse", "finalbody"):
                waiting += getattr(statement, part, [])
            waiting += [each for handler in getattr(statement, "handlers", []) for each in handler.body]


def names_of(statement: ast.stmt) -> list[str]:
    """Return the names that a statement gives something to."""
    if isinstance(statement, FUNCTION | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [(each.asname or each.name).partition(".")[0] for each in statement.names]
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    return [
        node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)
    ]


def signature(found: ast.stmt | None) -> Signature | None:
    """Return what a definition is called with, None where that cannot be told by reading."""
    drop = 0
    if isinstance(found, ast.ClassDef):
        found = next(
            (each for each in found.body if isinstance(each, FUNCTION) and each.name == "__init__"), None
        )
        drop = 1
    if not isinstance(found, FUNCTION):
        return None
    decorators = {
        node.id for each in found.decorator_list for node in ast.walk(each) if isinstance(node, ast.Name)
    }
    return Signature(parameters(found.args)[drop:]) if decorators <= HARMLESS else None


def parameters(given: ast.arguments) -> list[Parameter]:
    """Return the parameters of a definition, each with a default or without."""
    ordered = [
        *((each, Parameter.POSITIONAL_ONLY) for each in given.posonlyargs),
        *((each, Parameter.POSITIONAL_OR_KEYWORD) for each in given.args),
    ]
    bare = len(ordered) - len(given.defaults)
    found = [
        Parameter(each.arg, kind, default=Parameter.empty if number < bare else None)
        for number, (each, kind) in enumerate(ordered)
    ]
    if given.vararg:
        found.append(Parameter(given.vararg.arg, Parameter.VAR_POSITIONAL))
    for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        found.append(
            Parameter(each.arg, Parameter.KEYWORD_ONLY, default=None if default else Parameter.empty)
        )
    if given.kwarg:
        found.append(Parameter(given.kwarg.arg, Parameter.VAR_KEYWORD))
    return found


def uses(tree: ast.Module) -> list[Use]:
    """Return what a file uses of the engine, each name where it is imported, looked up, or called."""
    bound, found = {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and ours(node.module or ""):
            for each in node.names:
                bound[each.asname or each.name] = f"{node.module}.{each.name}"
                if each.name != "*":
                    found.append(Use(node.lineno, f"{node.module}.{each.name}"))
        elif isinstance(node, ast.Import):
            for each in filter(lambda each: ours(each.name), node.names):
                bound[each.asname or PACKAGE] = each.name if each.asname else PACKAGE
                found.append(Use(node.lineno, each.name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := dotted(node, bound)):
            found.append(Use(node.lineno, name))
        elif isinstance(node, ast.Call) and (name := dotted(node.func, bound)):
            found.append(Use(node.lineno, name, node))
    return found


def ours(module: str) -> bool:
    """Return whether a module is the engine's."""
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")


def dotted(node: ast.expr, bound: dict[str, str]) -> str:
    """Return the full name of `a.b.c` where `a` is of the engine, or an empty text."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, bound)
        return f"{before}.{node.attr}" if before else ""
    return bound.get(node.id, "") if isinstance(node, ast.Name) else ""


def misfit(called: Signature, call: ast.Call) -> str:
    """Return why a call does not fit a signature, in Python's words, or nothing."""
    starred = any(isinstance(each, ast.Starred) for each in call.args)
    doubled = any(each.arg is None for each in call.keywords)
    positional = [each for each in call.args if not isinstance(each, ast.Starred)]
    named = {each.arg: None for each in call.keywords if each.arg}
    try:
        (called.bind_partial if starred or doubled else called.bind)(*positional, **named)
    except TypeError as error:
        return str(error)
    return ""


def differences(files: dict[str, str], old: Engine, new: Engine) -> list[str]:
    """Return which lines use the engine as the old one had it and the new one has not: `file:line: what`.

    `files`: the text of each by its name; what is no Python, as with a conflict's marks, is not looked at.
    """
    found: dict[str, None] = {}
    for file, content in files.items():
        try:
            used = uses(ast.parse(content))
        except (SyntaxError, ValueError):
            continue
        for use in sorted(used, key=lambda use: use.line):
            if what := difference(use, old, new):
                found[f"{file}:{use.line}: {what}"] = None
    return list(found)


def difference(use: Use, old: Engine, new: Engine) -> str:
    """Return in which way a use fits the old engine and not the new one, or nothing."""
    if not old.has(use.name):
        return ""
    if not new.has(use.name):
        places = new.places(use.name.rpartition(".")[2])
        return f"{use.name} is no longer there" + (f"; now {' or '.join(places)}" if places else "")
    before, now = old.signature(use.name), new.signature(use.name)
    if use.call and before and now and not misfit(before, use.call) and (why := misfit(now, use.call)):
        return f"{use.name}: {why}"
    return ""
