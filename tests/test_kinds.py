"""No code outside `cupel/kinds` knows a label kind by name, and all call a kind's functions so that versions see it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cupel.contract.kind import Kind
from cupel.kinds import KINDS

REPOSITORY = Path(__file__).parents[1]
ROOTS = ("assets", "expectations", "orchestration", "cupel")
KINDS_FOLDER = Path("cupel/kinds")
# Where project files are read, or what is known is looked up: all that these import is `cupel.kinds` itself, the tuples
# of all kinds, and `cupel.kinds.projects`, which reads project files with them.
ENTRY_POINTS = {
    "cupel/commands/accept_request.py",
    "cupel/commands/file_commands.py",
    "cupel/commands/lake_commands.py",
    "cupel/commands/options.py",
    "cupel/intake/collect_inputs.py",
    "cupel/release/verify.py",
    "expectations/suites.py",
    "orchestration/ci.py",
    "orchestration/component.py",
    "orchestration/data_docs_command.py",
    "orchestration/definitions.py",
    "orchestration/deployment.py",
    "orchestration/known_partitions.py",
    "orchestration/prune_command.py",
    "orchestration/prune_job.py",
    "orchestration/rebuild.py",
    "orchestration/rounds.py",
    "orchestration/run.py",
    "orchestration/run_worker.py",
    "orchestration/sizes.py",
}
OF_ALL_KINDS = {"cupel.kinds", "cupel.kinds.projects"}
# Texts that are the name of a kind and mean something else, or stand for it by promise.
LITERALS = {
    ("cupel/config/labeling.py", "category"): "what the project file means where it names no kind",
    ("cupel/exchange/imports/columns.py", "category"): "what columns of labels are called in tables of others",
    ("cupel/exchange/imports/scale.py", "category"): "a key of Scale's files",
    ("cupel/exchange/suspicious_items.py", "questions"): "a key of Argilla's settings",
    ("cupel/commands/mark_commands.py", "spans"): "a form of marks, by which files are read whatever the project",
    (
        "cupel/exchange/imports/marks/mark_table.py",
        "category",
    ): "what columns of classes are called in tables of others",
    ("cupel/exchange/imports/prodigy.py", "spans"): "a key of Prodigy's files",
    ("cupel/marks/canonical_text.py", "spans"): "the form of marks that the kind is made of",
    ("cupel/people/label_studio/regions.py", "spans"): "what Label Studio is set up by hand to mark",
    ("cupel/lake/guideline_log.py", "questions"): "a key of the log: what an ontology of several questions holds",
    ("cupel/release/frozen_terms.py", "questions"): "a key of the plan: what an ontology of several questions holds",
}
# Functions that nothing but kinds has: the others share their names with methods of texts and tables.
OWN_FUNCTIONS = {
    "is_same", "agreement", "consensus", "fuse", "vocabulary", "nearest", "controls", "read_controls", "write_controls",
}  # fmt: skip
# Methods of that name which ask the kind: `self.kind.is_same(...)`.
ASKING = {("cupel/release/release_audit.py", "self.is_same"), ("cupel/release/stage_errors.py", "audit.is_same")}

Found = tuple[str, str]


def modules() -> Iterator[tuple[str, ast.Module]]:
    for root in ROOTS:
        for path in sorted((REPOSITORY / root).rglob("*.py")):
            name = path.relative_to(REPOSITORY)
            if not name.is_relative_to(KINDS_FOLDER):
                yield name.as_posix(), ast.parse(path.read_text("utf-8"))


def imported(tree: ast.AST) -> set[str]:
    """Return the modules of `cupel.kinds` that a module imports, inside functions and for types too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            base = node.module or ""
            found.add(base)
            found.update(f"{base}.{one.name}" for one in node.names if _is_module(f"{base}.{one.name}"))
    return {name for name in found if name == "cupel.kinds" or name.startswith("cupel.kinds.")}


def _is_module(name: str) -> bool:
    path = REPOSITORY / name.replace(".", "/")
    return path.with_suffix(".py").exists() or path.is_dir()


def literals(tree: ast.AST, names: set[str]) -> set[str]:
    """Return the string constants that are the name of a kind; within longer texts names are only words."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in names}


def strange_calls(tree: ast.AST) -> set[str]:
    """Return calls of a kind's functions by another name than `kind`."""
    calls = [
        node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    return {
        ast.unparse(call) for call in calls
        if call.attr in OWN_FUNCTIONS and _last_name(call.value) != "kind" and not _is_imported(tree, call.value)
    }  # fmt: skip


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_imported(tree: ast.AST, node: ast.expr) -> bool:
    """Tell whether a name is that of an imported module or class: its functions are followed by themselves."""
    names = {
        alias.asname or alias.name for one in ast.walk(tree) if isinstance(one, ast.Import | ast.ImportFrom)
        for alias in one.names
    }  # fmt: skip
    return isinstance(node, ast.Name) and node.id in names


def wrongly_named(tree: ast.AST) -> set[str]:
    """Return arguments and fields that are a Kind and are called otherwise, so that versions overlook their calls."""
    if not any(isinstance(node, ast.ImportFrom) and node.module == "cupel.contract.kind" for node in ast.walk(tree)):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and _is_kind(node.annotation) and node.arg != "kind":
            found.add(node.arg)
        if isinstance(node, ast.AnnAssign) and _is_kind(node.annotation) and _last_name(node.target) != "kind":
            found.add(ast.unparse(node.target))
    return found


def _is_kind(annotation: ast.expr | None) -> bool:
    said = "" if annotation is None else ast.unparse(annotation).strip("'\"")
    return said in ("Kind", "Kind | None")


def test_nothing_imports_a_kind_and_entry_points_import_all_of_them() -> None:
    found = {name: kinds for name, tree in modules() if (kinds := imported(tree))}
    assert {name: kinds - OF_ALL_KINDS for name, kinds in found.items() if kinds - OF_ALL_KINDS} == {}
    assert set(found) == ENTRY_POINTS


def test_nothing_holds_the_name_of_a_kind_as_a_text() -> None:
    names = {kind.name for kind in KINDS}
    found = {(name, literal) for name, tree in modules() for literal in literals(tree, names)}
    assert found == set(LITERALS)


def test_functions_of_a_kind_are_called_by_the_name_that_versions_follow() -> None:
    assert {(name, call) for name, tree in modules() for call in strange_calls(tree)} == ASKING


def test_whatever_is_a_kind_is_called_kind() -> None:
    # The project's own field is behind its property `kind`.
    found = {(name, argument) for name, tree in modules() for argument in wrongly_named(tree)}
    assert found == {("cupel/config/project.py", "_kind")}


def test_the_functions_are_those_of_the_contract() -> None:
    assert set(Kind._fields) >= OWN_FUNCTIONS


IMPORT = "from cupel.contract.kind import Kind\n"


@pytest.mark.parametrize(
    ("check", "code", "found"),
    [
        (imported, "from cupel.kinds.category import CATEGORY", {"cupel.kinds.category"}),
        (imported, "from cupel.kinds import preference", {"cupel.kinds", "cupel.kinds.preference"}),
        (imported, "def f():\n    import cupel.kinds.category.classes", {"cupel.kinds.category.classes"}),
        (imported, "from cupel.kinds import KNOWN", {"cupel.kinds"}),
        (imported, "import cupel.kindness", set()),
        (lambda tree: literals(tree, {"category"}), "if kind.name == 'category': pass", {"category"}),
        (lambda tree: literals(tree, {"category"}), "'''Of a category.'''", set()),
        (strange_calls, "found = project.kind.is_same(one, other, ontology)", set()),
        (strange_calls, "found = kind.is_same(one, other, ontology)", set()),
        (strange_calls, "labels = project.kind\nfound = labels.is_same(one, other)", {"labels.is_same"}),
        (strange_calls, "from a import majority\nmajority.consensus(table)", set()),
        (wrongly_named, f"{IMPORT}def f(kind: Kind, other: Kind | None, name: str): pass", {"other"}),
        (wrongly_named, f"{IMPORT}class A:\n    own: 'Kind'", {"own"}),
        (wrongly_named, "class A:\n    own: 'Kind'", set()),
    ],
)
def test_the_checks_find_what_they_are_for(check: Any, code: str, found: set[str]) -> None:
    assert check(ast.parse(code)) == found
