"""Some hundred broken files before every command; `python -m benchmarks.fuzz_commands` tries ten thousand."""

import random

from benchmarks.fuzz_commands import describe_error, fuzz, run_call
from benchmarks.fuzz_doors import Call
from benchmarks.fuzz_inputs import make_inputs, read_releases
from benchmarks.fuzz_mutations import mutate

SLOW = ("sheet",)  # an audit is planned for each


def test_no_broken_file_makes_a_command_fall_over() -> None:
    inputs = [one for one in (*make_inputs(), *read_releases()) if one.door not in SLOW]
    assert {one.door for one in inputs} == {"table", "project", "answers", "key", "release"}
    found = list(fuzz(inputs, range(200), seed=19))
    assert [(one.kind, one.where, one.number) for one in found] == []


def test_the_fuzzer_finds_a_traceback_and_what_is_left_behind() -> None:
    def fall_over(folder: object) -> None:
        raise ZeroDivisionError("here")

    assert run_call(Call("x", fall_over, "a.csv", b"")) == ("traceback", describe_error(ZeroDivisionError("here")))
    left = run_call(Call("import", ("import", "none.csv", "--batch", "b", "--answers", "a.csv"), "out/a.csv", b"x"))
    assert left is not None
    assert left[0] == "left"


def test_the_same_seed_breaks_a_file_the_same_way() -> None:
    for one in make_inputs():
        broken = [mutate(one.name, one.content, [one.content], random.Random(3)) for _ in range(2)]
        assert broken[0] == broken[1]
