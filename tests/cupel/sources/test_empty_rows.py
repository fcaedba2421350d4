from pathlib import Path

import pytest

from cupel.accept.reading import read_rows
from cupel.sources.csv_rows import csv_rows
from cupel.sources.json_rows import json_rows, text_rows
from cupel.sources.lines import Line, read_lines
from cupel.sources.reasons import BadRow


def lines_of(text: str) -> list[Line]:
    return [Line(number, line.encode()) for number, line in enumerate(text.split("\n"), 1)]


@pytest.mark.parametrize("ends", ["", "\n", "\n\n\n", "\n \n\t\n"])
def test_empty_lines_at_the_end_are_no_rows_and_those_between_are_rejected(ends: str) -> None:
    read = {
        "csv": list(csv_rows("d.csv", lines_of(f"text\na\n\nb{ends}"), ("text",), 100)),
        "jsonl": list(json_rows(lines_of('{"n":0}\n{"text":"a"}\n\n{"text":"b"}' + ends)))[1:],
        "txt": list(text_rows(lines_of(f"x\na\n\nb{ends}"), "text"))[1:],
    }
    for rows in read.values():
        assert [row.reason if isinstance(row, BadRow) else row.values["text"] for row in rows] == [
            "a",
            "empty_row",
            "b",
        ]
        assert [row.line for row in rows] == [2, 3, 4]


@pytest.mark.parametrize(("name", "content"), [("d.csv", "id,label\n1,a\n"), ("d.jsonl", '{"id":1,"label":"a"}\n')])
def test_a_delivery_of_labels_has_no_row_for_its_last_line_end(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(f"{content}\n\r\n\n")
    assert len(read_rows(tmp_path / name).rows) == 1
    assert len(list(read_lines(tmp_path / name, None, 100))) > 1
