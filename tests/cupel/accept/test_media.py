import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import MEDIA

from cupel.accept.media import HEAD_BYTES, SHOWN_IN_PAGE, media_ending


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"label": ["a", "b"]}), out)
    return out.getvalue()


# Each begins as a kind of media does, or could be taken for one by its name.
OTHERS = {
    "a table": b"id,text,label\n1,a,good\n",
    "a table whose first column is called BM": b"BM,label\n1,good\n2,bad\n3,good\n",
    "a table in UTF-16, which begins like a sync word": "id,label\n1,good\n".encode("utf-16"),
    "secrets": b"API_KEY=1234\n",
    "an SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    "a page": b"<!doctype html><script>1</script>",
    "a PDF": b"%PDF-1.7\n",
    "a zipped table": gzip.compress(b"id,label\n"),
    "a Parquet table": parquet(),
    "a word": b"RIFFRAFF and other people",
    "a text that speaks of a tag": b"ID3 tags are what this text is about",
    "one frame and then a text": b"\xff\xfb\x90\x00" + b"secret " * 200,
    "a box of another kind": b"\x00\x00\x00\x18moov" + bytes(16),
    "a brand that nobody knows": b"\x00\x00\x00\x18ftypabcd" + bytes(12),
    "another EBML document": b"\x1a\x45\xdf\xa3\x85\x42\x82\x82ab",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("ending", MEDIA)
def test_media_are_told_by_their_content(ending: str) -> None:
    assert media_ending(MEDIA[ending][:HEAD_BYTES]) == ending


def test_a_tag_in_front_of_sound_tells_mp3() -> None:
    assert media_ending(b"ID3\x04\x00\x00\x00\x00\x02\x01" + bytes(257)) == ".mp3"


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_media_is_not_taken_for_it(what: str) -> None:
    assert media_ending(OTHERS[what][:HEAD_BYTES]) is None


@given(st.text())
def test_no_text_without_control_characters_is_media_but_one_that_begins_with_a_gif(text: str) -> None:
    ending = media_ending("".join(filter(str.isprintable, text)).encode())
    assert ending is None or text.startswith("GIF8")


@given(st.sampled_from(sorted(MEDIA)), st.integers(0, 64))
def test_media_that_break_off_are_no_error(ending: str, size: int) -> None:
    assert media_ending(MEDIA[ending][:size]) in (ending, None)


def test_what_a_page_shows_is_media() -> None:
    assert set(MEDIA) >= SHOWN_IN_PAGE
