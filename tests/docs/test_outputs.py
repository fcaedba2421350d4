"""What the pages show of outputs is what the commands print."""

from pathlib import Path

import pytest

from docs.buyer_examples import make_examples
from docs.outputs import BY_HAND, EXAMPLE, SAMPLE, OutputBlock, find_difference, read_blocks
from docs.tutorial_example import explain, explain_hopeless_tutorial, load_tutorial

BLOCKS = read_blocks()


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    tutorial = explain_hopeless_tutorial(tmp_path_factory.mktemp("tutorial"))
    return {**make_examples(tmp_path_factory.mktemp("buyer")), "an audit that cannot pass": tutorial}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.of == EXAMPLE], ids=lambda block: block.command)
def test_an_output_of_an_example_is_what_its_command_prints(block: OutputBlock, examples: dict[str, str]) -> None:
    line = find_difference(block, examples[block.command])
    assert line is None, f"{block.page.name}:{block.line}: not printed: {line!r}\n{examples[block.command]}"


def test_every_output_names_what_made_it() -> None:
    assert len(BLOCKS) > 30
    for block in BLOCKS:
        assert block.is_typed or block.of in (SAMPLE, EXAMPLE, *BY_HAND), (
            f"{block.page.name}:{block.line}: an output that names no command; put `<!-- output of the sample: COMMAND "
            "-->` above it, or give the block a language"
        )
    assert {block.command for block in BLOCKS if block.of == SAMPLE} >= {"cupel trace movies/266"}


def test_a_line_that_is_not_printed_in_its_place_is_found() -> None:
    def shown(text: str) -> OutputBlock:
        return OutputBlock(Path("page.md"), 1, SAMPLE, "x", "", text)

    printed = "one  1.5 s\ntwo\nthree\nfour\n"
    for same in ("one  9.1 s\ntwo\n", "two\n...\nfour\n", "...\nthree\n", "one    1.5 s\n"):
        assert find_difference(shown(same), printed) is None, same
    for line, other in (("three", "one  1 s\nthree\n"), ("two", "three\n...\ntwo\n"), ("2", "one  1 s\n2\n")):
        assert find_difference(shown(other), printed) == line


def test_the_numbers_of_the_tutorial_can_pass_for_the_texts_that_it_speaks_of(tmp_path: Path) -> None:
    project = load_tutorial(tmp_path)
    assert explain(project) is None
    warned = project.release.model_copy(update={"audit_size": 400, "max_experts_seen_share": 0.3})
    changed = project.model_copy(update={"release": warned})
    assert explain(changed, 1334) is None
    assert "experts would have to see 30.1% of the items" in (explain(changed, 1333) or "")
