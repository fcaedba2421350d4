import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.columns import Columns, choose_columns


def test_a_named_column_goes_before_a_guess() -> None:
    columns = choose_columns("d.csv", ["label", "id", "text", "verdict"], label="verdict")
    assert columns == Columns("verdict", "id", "text", None)


def test_a_column_has_one_role() -> None:
    with pytest.raises(SourceError, match="two roles"):
        choose_columns("d.csv", ["a", "b"], label="a", text="a")


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    with pytest.raises(SourceError, match=r"no column 'x' \(--text\); the file has 'label', 'body'"):
        choose_columns("d.csv", ["label", "body"], text="x")


def test_without_anything_like_a_label_the_buyer_is_asked() -> None:
    with pytest.raises(SourceError, match="--label"):
        choose_columns("d.csv", ["a", "b"])
