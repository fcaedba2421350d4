import ast
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.versions.module import Definition, Module, read_module


def module(source: str) -> Module:
    return read_module("pack.mod", dedent(source))


def definition(source: str, name: str = "f") -> Definition:
    (found,) = module(source).definitions[name]
    return found


def test_comments_docstrings_and_layout_change_no_hash() -> None:
    plain = definition("def f(a):\n    return a + 1\n")
    told = definition('''
        def f(
            a,  # what is added to
        ):
            """Return one more."""
            # one more
            return (a
                    + 1)
    ''')
    assert plain == told


def test_the_text_below_a_field_is_a_docstring() -> None:
    plain = definition("class f:\n    a: int = 1\n    b: int = 2\n")
    told = definition('class f:\n    """Two."""\n\n    a: int = 1\n    """The first."""\n    b: int = 2\n')
    assert plain.sha256 == told.sha256


@given(st.integers(), st.integers())
def test_another_value_is_another_hash(one: int, other: int) -> None:
    said = [definition(f"def f(a=({value})):\n    return a\n").sha256 for value in (one, other)]
    assert (said[0] == said[1]) == (one == other)


@pytest.mark.parametrize("changed", ["1.0", "True", "'1'", "(1,)", "-1", "x", "None", "b'1'"])
def test_values_of_other_types_are_other_hashes(changed: str) -> None:
    assert definition("f = 1").sha256 != definition(f"f = {changed}").sha256


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f():\n    return [1, [2]]", "def f():\n    return [[1], 2]"),
        ("def f():\n    return a - b", "def f():\n    return b - a"),
        ("def f(*, a):\n    pass", "def f(a):\n    pass"),
        ("f = 'a\\nb'", "f = 'ab'"),
        ("@g\ndef f():\n    pass", "def f():\n    pass"),
        ("def f():\n    a = 1\n    return a", "def f():\n    return 1"),
    ],
)
def test_what_runs_otherwise_is_another_hash(one: str, other: str) -> None:
    assert definition(one).sha256 != definition(other).sha256


def test_a_columns_meaning_is_no_part_of_its_hash_and_all_else_is() -> None:
    made = 'f = Table("t", "a row", ("k",), (Column("k", TEXT, "the key"), Column("v", REAL, "a value", True)))'
    hashes = {made: definition(made).sha256}
    for before, now in [("the key", "a key"), ("a row", "one row")]:
        assert definition(made.replace(before, now)).sha256 == hashes[made]
    for before, now in [("REAL", "TEXT"), ("True", "False"), ('"v"', '"w"'), ('("k",)', '("v",)'), ('"t"', '"u"')]:
        assert definition(made.replace(before, now)).sha256 != hashes[made], now


def test_names_are_those_of_the_module_and_not_what_is_local() -> None:
    found = definition("""
        def f(a, b=DEFAULT):
            c = helper(a)
            def inner(d):
                return d + c + deep(e for e in b if outside(e))
            return [g(h) for h in inner(c)], (lambda x: x + y)(1)
    """)
    assert set(found.names) == {"DEFAULT", "helper", "deep", "outside", "g", "y"}


def test_a_global_a_decorator_a_base_and_an_annotation_are_references() -> None:
    assert "table" in definition("def f():\n    global table\n    table = 1\n    return table\n").names
    assert definition("@cached\ndef f(a: Type) -> Other: ...").names == ("Type", "cached", "Other")
    assert set(definition("class f(Base, metaclass=Meta):\n    a: Field = made()\n").names) == {
        "Base", "Meta", "Field", "made",
    }  # fmt: skip


def test_names_of_modules_are_followed_with_what_is_taken_from_them() -> None:
    found = definition("import a.b as c\ndef f(x):\n    return c.one(x).two + x.three + c.d.four\n")
    assert set(found.names) == {"c.one", "c.d.four"}


def test_an_import_inside_a_function_is_one() -> None:
    found = definition("def f():\n    from ..far import near\n    import other.thing as t\n    return near(t)\n")
    assert set(found.imports) == {("far", "near"), ("other.thing", None)}
    assert found.names == ()


def test_imports_bind_what_they_stand_for_and_those_for_types_alone_do_not() -> None:
    found = module("""
        from typing import TYPE_CHECKING
        import numpy as np
        from . import sibling
        from .other import thing as named
        try:
            import fast
        except ImportError:
            fast = None
        if TYPE_CHECKING:
            from heavy import Type
    """)
    assert found.imported["np"] == ("numpy", None)
    assert found.imported["sibling"] == ("pack", "sibling")
    assert found.imported["named"] == ("pack.other", "thing")
    assert found.imported["fast"] == ("fast", None)
    assert "Type" not in found.imported


def test_a_module_that_is_imported_by_its_whole_name_binds_the_first_part() -> None:
    found = module("import a.b.c\nimport d.e as f\n")
    assert found.imported == {"a": ("a", None), "f": ("d.e", None)}


def test_all_names_of_a_module_at_once_are_refused() -> None:
    with pytest.raises(SyntaxError, match=r"imports all names of other"):
        module("from other import *")


def test_statements_that_bind_nothing_act_and_a_name_bound_twice_has_both_definitions() -> None:
    found = module('"""What it is."""\nregister(1)\nif a:\n    b = 1\nelse:\n    b = 2\nb = 3\n')
    assert [effect.names for effect in found.effects] == [("register",), ("a",)]  # a block may act, too
    assert len(found.definitions["b"]) == 2


def test_variants_are_told_option_by_option() -> None:
    found = definition('f = Variants("a.kind", {"one": first, "two": other.second, True: third})')
    assert found.choices == ("a.kind", {"one": ("first",), "two": ("other.second",), "True": ("third",)})
    with pytest.raises(SyntaxError, match="in place"):
        module('f = Variants("a.kind", OPTIONS)')


def test_strings_that_may_be_files_are_told() -> None:
    assert definition("def f():\n    return 'rules.toml', 'a sentence. and more', 'word'\n").strings == ("rules.toml",)


def test_every_statement_of_the_language_can_be_read() -> None:
    source = ast.unparse(
        ast.parse(
            dedent("""
        match x:
            case [1, *rest] if rest:
                a = rest
            case {"k": v, **more}:
                a = v
            case Point(x=0) as p:
                a = p
        with open(n) as f, g() as (h, i):
            pass
        for j, (k, l) in m:
            continue
        async def q():
            async with r as s:
                return [t async for t in s if (u := t)]
        try:
            pass
        except* OSError as e:
            raise
    """)
        )
    )
    assert {"a", "rest", "v", "more", "p", "f", "h", "i", "j", "k", "l", "q", "e"} <= set(module(source).definitions)


def test_what_is_taken_from_the_projects_kind_is_told() -> None:
    found = definition(
        "def f(project, kind, other):\n"
        "    kind.parse(other.kind.split)\n"
        "    return project.kind.same(project.labeling.ontology), other.kinds.join, other.kind\n"
    )
    assert set(found.uses) == {"kind.parse", "kind.split", "kind.same", "labeling.ontology"}
