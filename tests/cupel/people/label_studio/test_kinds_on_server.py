"""Labels that are no single class, and items that are no text, on a server that speaks Label Studio's API."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cupel.config.project import Project
from cupel.contract.table import from_rows
from cupel.contract.tables.checking import PREDICTIONS
from cupel.contract.tables.cleaning import CLEAN_ITEMS
from cupel.errors import WorkforceError
from cupel.lake.lake import Lake
from cupel.people.answers.collect import collect
from cupel.people.label_studio.pictures import MOST_URI_CHARACTERS, Preview, file_preview, no_preview
from cupel.people.label_studio.workforce import LabelStudioWorkforce
from label_studio_server import LEGACY, LabelStudioServer
from live_lake import PEOPLE, log
from made_kinds import NONE, made_project
from pictures import encoded, personal_exif


def gather(about: Project, lake: Lake, preview: Preview = no_preview) -> int:
    live = LabelStudioWorkforce(
        about, lake, {"CUPEL_LABEL_STUDIO_TOKEN": LEGACY}, lambda seconds: None, preview=preview
    )
    return collect(lake, live, ["one"], ())


def chosen(**controls: list[str]) -> list[dict[str, object]]:
    return [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": choices}}
        for name, choices in controls.items()
    ]


def write_items(lake: Lake, texts: list[str]) -> None:
    item = {"batch": "one", "source_file": "f", "line": 1, "group_id": "g", "licence": "CC0-1.0", "language": "und"}
    rows = [{**item, "item_id": f"i{n}", "text": text} for n, text in enumerate(texts)]
    lake.write("clean_items", "one", from_rows(rows, CLEAN_ITEMS))


def test_sets_of_classes_are_asked_and_come_back_as_one_text_each(lake: Lake, server: LabelStudioServer) -> None:
    about = made_project("topics", ["war", "law"], url=server.url, **PEOPLE)
    gather(about, lake)
    first, second, third = server.shown("annotators")
    server.annotate(first, "ann@x.org", "", result=chosen(topics=["law", "war"]))
    server.annotate(second, "ann@x.org", "", result=chosen(topics=[NONE]))
    server.annotate(third, "ann@x.org", "", result=[])
    gather(about, lake)
    assert [row["label"] for row in log(lake)] == ['["war","law"]', "[]", "not a choice: []"]
    # What is no label leaves the item to the same person: asked twice of each, one answer of each counted.
    server.annotate(third, "ann@x.org", "", result=chosen(topics=["law"]))
    assert gather(about, lake) == 1
    assert log(lake)[-1]["label"] == '["law"]'
    assert log(lake)[-1]["task_id"] == "label-2-2"


def test_an_opinion_of_several_classes_is_shown_as_several_choices(lake: Lake, server: LabelStudioServer) -> None:
    said = {"posterior": [0.1, 0.9, 0.1, 0.9], "fold": 0, "abstention": None, "model": "m", "model_version": "1"}
    rows = [{**said, "item_id": f"i{n}", "predicted_label": label} for n, label in enumerate(['["war","law"]', "[]"])]
    lake.write("predictions", "one", from_rows(rows, PREDICTIONS))
    about = made_project("topics", ["war", "law"], url=server.url, prediction_share=0.999999, **PEOPLE)
    gather(about, lake)
    shown = {there["data"]["text"]: there["predictions"] for there in server.shown("annotators")}
    assert shown["text 0"][0]["result"] == chosen(topics=["war", "law"])
    assert shown["text 1"][0]["result"] == chosen(topics=[NONE])
    assert shown["text 2"] == []


def test_a_renamed_control_is_noticed_before_anything_is_asked(lake: Lake, server: LabelStudioServer) -> None:
    about = made_project("topics", ["war", "law"], url=server.url, **PEOPLE)
    gather(about, lake)
    there = server.project("annotators")
    there["label_config"] = there["label_config"].replace('name="topics"', 'name="subjects"')
    with pytest.raises(WorkforceError, match=r"was changed and does not ask for war, law, none of them any more"):
        gather(about, lake)


def test_addresses_of_images_are_put_there_as_they_are(lake: Lake, server: LabelStudioServer) -> None:
    addresses = ["https://x.org/1.png", "data:image/png;base64,AAAA"]
    write_items(lake, addresses)
    lake.write("tasks", "one", lake.read("tasks", "one").slice(0, 4))
    about = made_project("category", ["a", "b"], modality="pictures", url=server.url, **PEOPLE)
    gather(about, lake)
    assert [there["data"]["image"] for there in server.shown("annotators")] == addresses


def test_local_files_are_found_below_the_address_that_the_project_names(lake: Lake, server: LabelStudioServer) -> None:
    write_items(lake, ["cats/1.png", "odd name#?.png", "a..b/3.png"])
    files = "/data/local-files/?d={batch}/"
    about = made_project("category", ["a", "b"], modality="pictures", url=server.url, files=files, **PEOPLE)
    gather(about, lake)
    assert [there["data"]["image"] for there in server.shown("annotators")] == [
        f"/data/local-files/?d=one/{name}" for name in ("cats/1.png", "odd%20name%23%3F.png", "a..b/3.png")
    ]  # fmt: skip
    # Reading the tasks again finds nothing changed.
    server.annotate(server.shown("annotators")[0], "ann@x.org", "a")
    assert gather(about, lake) == 1


def test_without_such_an_address_a_task_holds_a_preview(lake: Lake, server: LabelStudioServer) -> None:
    write_items(lake, ["1.png", "2.png", "3.png"])
    about = made_project("category", ["a", "b"], modality="pictures", url=server.url, **PEOPLE)
    gather(about, lake, lambda batch, location: f"data:image/jpeg;base64,{batch}{location}")
    assert server.shown("annotators")[1]["data"]["image"] == "data:image/jpeg;base64,one2.png"


@pytest.mark.parametrize(
    ("preview", "why"),
    [(no_preview, "has no preview"), (lambda batch, location: "x" * (MOST_URI_CHARACTERS + 1), "200,001 characters")],
)
def test_a_file_that_the_server_cannot_get_is_said_before_anything_is_asked(
    lake: Lake, server: LabelStudioServer, preview: Preview, why: str
) -> None:
    write_items(lake, ["1.png", "2.png", "3.png"])
    about = made_project("category", ["a", "b"], modality="pictures", url=server.url, **PEOPLE)
    with pytest.raises(WorkforceError, match=f"{why}.*label_studio.files"):
        gather(about, lake, preview)
    assert server.tasks == {}


@pytest.mark.parametrize("location", ["../up.png", "a/../../up.png", "/etc/up.png"])
def test_a_path_out_of_the_delivery_is_put_to_nobody(lake: Lake, server: LabelStudioServer, location: str) -> None:
    write_items(lake, ["1.png", location, "3.png"])
    about = made_project("category", ["a", "b"], modality="pictures", url=server.url, files="/files/", **PEOPLE)
    with pytest.raises(WorkforceError, match="lies outside of its delivery"):
        gather(about, lake)


def test_a_file_of_the_delivery_is_shown_small_upright_and_without_what_it_says_of_people(
    lake: Lake, tmp_path: Path
) -> None:
    about = made_project("category", ["a", "b"], modality="image")
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    large = Image.fromarray(noise).resize((3000, 2000))
    (tmp_path / "views").mkdir()
    (tmp_path / "views/1.jpg").write_bytes(encoded(large, "JPEG", exif=personal_exif()))
    (tmp_path / "views/2.jpg").write_bytes(b"no picture")
    preview = file_preview(about, lake, tmp_path)
    uri = preview("one", "views/1.jpg")
    assert uri is not None
    assert len(uri) < MOST_URI_CHARACTERS
    content = base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))
    shown = Image.open(io.BytesIO(content))
    assert max(shown.size) == 640
    assert not shown.getexif()
    assert preview("one", "views/1.jpg") == uri
    assert [preview("one", name) for name in ("views/2.jpg", "views/3.jpg", "../lake")] == [None, None, None]
