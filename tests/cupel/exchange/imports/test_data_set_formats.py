"""Data sets of images and video: Kinetics' clips are read, other formats are recognised with what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.tools import read_export
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records


def test_kinetics_clips_are_items_of_their_video_and_time(tmp_path: Path) -> None:
    content = "label,youtube_id,time_start,time_end,split\nrun,v1,1,11,test\nsit,v1,20,30,test\n,v2,0,2,test\n"
    (tmp_path / "test.csv").write_text(content)
    found = read_export(tmp_path / "test.csv")
    assert show(found.annotations) == [
        ("v1_000001_000011", "run", None), ("v1_000020_000030", "sit", None), ("no_answer", "v2_000000_000002"),
    ]  # fmt: skip
    assert [key.path for key in found.unread] == ["split"] * 3
    clips: Any = {"v1": {"annotations": {"label": "run", "segment": [1.0, 11.0]}, "subset": "train", "url": "u"}}
    found = read_export(write_records(tmp_path, clips))
    assert show(found.annotations) == [("v1_000001_000011", "run", None)]
    assert [path for path in untold_marks(tmp_path, clips) if path] == []
    assert unseen_keys(tmp_path, clips) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "v0,000000,0,0,4,4,0,0\nv0,0902,0.077,0.1,0.2,0.8,80,1\n", "AVA"),
        ("a.csv", "-5KQ66BBWC4,0902,0.077,0.151,0.283,0.811,80\n", "AVA"),
        ("gt.txt", "1,1,794.2,247.5,71.2,174.8,1,1,0.8\n1,2,-1,2,3,4,0,1,-1\n", "MOT"),
        ("a.txt", "0 0.5 0.5 0.2 0.2\n3 0.1 0.1 0.2 0.2 0.3 0.3\n", "YOLO"),
        ("a.txt", "Car 0.00 0 -1.67 642.2 178.5 680.1 208.7 1.38 1.49 3.32 2.41 1.66 34.98 -1.60\n", "KITTI"),
        ("a.txt", "1.0 1.0 2.0 1.0 2.0 2.0 1.0 2.0 small-vehicle 0\n", "DOTA"),
        ("a.json", {"info": {}, "categories": {"label": {}}, "items": []}, "Datumaro"),
        ("a.json", {"a.jpg12": {"filename": "a.jpg", "regions": [], "file_attributes": {}}}, "VIA"),
        ("a.json", [{"image": "a.jpg", "annotations": [{"label": "x", "coordinates": {}}]}], "CreateML"),
        ("a.json", [{"name": "a.jpg", "labels": [{"category": "car", "box2d": {}}]}], "BDD100K"),
        ("a.json", {"database": {"v": {}}}, "ActivityNet"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path: Path, name: str, content: object, said: str) -> None:
    (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(SourceError, match=f"{said}.*(Convert the data set to COCO|which --kind segments reads)"):
        read_export(tmp_path / name)


def test_a_table_is_not_taken_for_a_list_of_boxes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,label,1,2,3,4,5,6\n1,a,1,2,3,4,5,6\n")
    assert read_export(tmp_path / "a.csv").tool == "table"
