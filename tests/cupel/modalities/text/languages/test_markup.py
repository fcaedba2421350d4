"""Tags, entities and places to fill in are no text; what looks like one is."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.modalities.text.languages.identify import identify
from cupel.modalities.text.languages.markup import markup_end

ENGLISH = "The document could not be saved, because the server did not answer in time."


def end(text: str, place: int = 0) -> int:
    codes = np.array([ord(sign) for sign in text], np.int32)
    return markup_end(codes, place, len(codes))


@pytest.mark.parametrize(
    "markup",
    ["<b>", "</span>", '<a href="x">', "<!-- note -->", "&amp;", "&#160;", "&#x2F;", "{0}", "{name}", "%s", "%d", "%@",
     "%1$s", "%(count)d", r"\n"],
)  # fmt: skip
def test_markup_ends_behind_its_last_sign(markup: str) -> None:
    assert end(markup) == len(markup)
    assert end(f"{markup} word") == len(markup)
    assert end(f"word{markup}word"[:-4], 4) == 4 + len(markup)


@pytest.mark.parametrize(
    "text",
    ["< 5", "<3 you", "<b without an end", "a & b", "& so on", "{ braces }", "{not closed", "50 % of", "%20", "100 %de",
     r"C:\files", "word", "<", "%", "&", "<a" + "b" * 500 + ">"],
)  # fmt: skip
def test_what_only_holds_such_a_sign_is_text(text: str) -> None:
    for place in range(min(len(text), 10)):
        assert end(text, place) == place


def test_markup_around_and_within_a_text_changes_nothing() -> None:
    marked = ENGLISH.replace("document", "<b class='x'>document</b>").replace(" server", "&nbsp;server {name} %(size)s")
    found = identify(pa.array([ENGLISH, marked, ENGLISH.replace("saved", "sa_ved").replace("time", "&time")]))
    assert found["language"].to_pylist() == ["eng_Latn"] * 3
    np.testing.assert_allclose(found["confidence"].to_numpy(), found["confidence"][0].as_py(), atol=1e-6)
