import io
import os
import time
from pathlib import Path

import pytest
from media_files import MEDIA, PNG

from cupel.accept import item_files
from cupel.accept.item_files import FileProblem, ItemFile, ItemFolder, copy_item, is_location
from cupel.errors import AuditError


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    """A delivery in a folder of its own, with a picture in `img`; a secret lies outside."""
    folder = tmp_path / "in"
    (folder / "img").mkdir(parents=True)
    (folder / "img" / "1.png").write_bytes(PNG)
    (folder / "delivery.csv").write_text("image,label\nimg/1.png,good\n")
    (tmp_path / "secret.png").write_bytes(PNG)
    return folder / "delivery.csv"


def reason(delivery: Path, value: str) -> str | None:
    found = ItemFolder(delivery).find(value)
    assert not isinstance(found, ItemFile), f"{value!r} would be copied"
    return found.reason if isinstance(found, FileProblem) else None


def test_a_picture_beside_the_delivery_is_found_with_the_ending_of_its_content(delivery: Path) -> None:
    (delivery.parent / "img" / "page.html").write_bytes(MEDIA[".gif"])
    files = ItemFolder(delivery)
    picture, other = files.find(" img/1.png "), files.find("img/page.html")
    assert isinstance(picture, ItemFile)
    assert isinstance(other, ItemFile)
    assert (picture.ending, picture.size_bytes, other.ending) == (".png", len(PNG), ".gif")


def test_what_is_no_media_is_not_copied_whatever_it_is_called(delivery: Path) -> None:
    (delivery.parent / "keys.png").write_text("API_KEY=1")
    (delivery.parent / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>")
    for name in ("keys.png", "drawing.svg"):
        assert reason(delivery, name) == item_files.NO_MEDIA


@pytest.mark.parametrize("content", [b"image,label\n", PNG])
def test_the_delivery_itself_is_not_copied_even_where_it_looks_like_media(delivery: Path, content: bytes) -> None:
    delivery.write_bytes(content)
    assert reason(delivery, "delivery.csv") == item_files.OF_COMMAND
    assert reason(delivery, "./delivery.csv") == item_files.OF_COMMAND
    assert reason(delivery, "img/../delivery.csv") == item_files.OUTSIDE


def test_other_files_of_the_command_are_not_copied(delivery: Path) -> None:
    known = delivery.parent / "known.png"
    known.write_bytes(PNG)
    found = ItemFolder(delivery, [known, delivery.parent / "missing.json"]).find("known.png")
    assert found == FileProblem(item_files.OF_COMMAND)


@pytest.mark.parametrize("name", [".env", ".env.png", "./.env.png", ".git/1.png", "img/.thumbs/1.png", "img/.1.png"])
def test_hidden_files_and_what_lies_in_hidden_folders_are_not_copied(delivery: Path, name: str) -> None:
    path = delivery.parent / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(PNG)
    assert reason(delivery, name) == item_files.HIDDEN


def test_names_that_differ_by_case_are_other_files_or_the_same_one(delivery: Path) -> None:
    # Where the file system takes them for one name, it is the identity that tells.
    other = delivery.parent / "DELIVERY.CSV"
    if not other.exists():
        assert reason(delivery, "DELIVERY.CSV") == item_files.ABSENT
        other.hardlink_to(delivery)
    assert reason(delivery, "DELIVERY.CSV") == item_files.OF_COMMAND
    (delivery.parent / "Old.AUDIT").mkdir()
    (delivery.parent / "Old.AUDIT" / "1.png").write_bytes(PNG)
    assert reason(delivery, "Old.AUDIT/1.png") == item_files.OF_AUDIT


@pytest.mark.parametrize("name", ["../secret.png", "img/../../secret.png", "img/../img/1.png", "..\\secret.png",
                                  "img\\..\\..\\secret.png", "file:secret.png", "file:///etc/passwd",
                                  "FILE://localhost/etc/passwd", "C:\\secret.png", "C:/secret.png"])  # fmt: skip
def test_names_that_lead_elsewhere_are_not_followed(delivery: Path, name: str) -> None:
    assert reason(delivery, name) == item_files.OUTSIDE


def test_absolute_paths_are_not_followed_even_into_the_folder(delivery: Path) -> None:
    for path in (delivery.parent / "img" / "1.png", delivery.parents[1] / "secret.png", Path("/etc/passwd")):
        assert reason(delivery, str(path)) == item_files.OUTSIDE
    assert reason(delivery, f"/{delivery.parent}/img/1.png") == item_files.OUTSIDE


@pytest.mark.parametrize("address", ["https://x.org/1.png", "s3://bucket/1.png", "data:image/png;base64,AA/A"])
def test_addresses_are_no_files(delivery: Path, address: str) -> None:
    assert ItemFolder(delivery).find(address) is None


def test_percent_signs_are_not_decoded(delivery: Path) -> None:
    for name in ("img%2F1.png", "%2e%2e/secret.png", "img/%31.png", "%2Eenv.png"):
        assert reason(delivery, name) == item_files.ABSENT
    (delivery.parent / "100%25.png").write_bytes(PNG)
    assert isinstance(ItemFolder(delivery).find("100%25.png"), ItemFile)


def test_symbolic_links_are_not_followed(delivery: Path) -> None:
    folder = delivery.parent
    (folder / "out.png").symlink_to(folder.parent / "secret.png")
    (folder / "in.png").symlink_to("img/1.png")
    (folder / "all").symlink_to(folder.parent)
    (folder / "same").symlink_to("img")
    (folder / "dangling.png").symlink_to("nowhere.png")
    for name in ("out.png", "in.png", "all/secret.png", "same/1.png", "all/in/img/1.png", "dangling.png"):
        assert reason(delivery, name) == item_files.LINK


def test_a_delivery_reached_by_a_link_has_the_pictures_beside_it(delivery: Path) -> None:
    link = delivery.parents[1] / "link"
    link.symlink_to(delivery.parent)
    assert isinstance(ItemFolder(link / "delivery.csv").find("img/1.png"), ItemFile)


def test_files_with_a_second_name_are_not_copied(delivery: Path) -> None:
    folder = delivery.parent
    (folder / "hidden.png").hardlink_to(folder.parent / "secret.png")
    (folder / "table.png").hardlink_to(delivery)
    assert reason(delivery, "hidden.png") == item_files.SECOND_NAME
    assert reason(delivery, "table.png") == item_files.OF_COMMAND


def test_nothing_is_taken_from_the_folder_of_an_audit(delivery: Path) -> None:
    folder = delivery.parent
    renamed = folder / "renamed"
    for audit in (folder / "delivery.audit", folder / "img" / "other.audit", renamed):
        (audit / "items").mkdir(parents=True)
        (audit / "items" / "r1-0001.png").write_bytes(PNG)
    for name in item_files.AUDIT_FILES:
        (renamed / name).write_text("{}")
    for audit_name in ("delivery.audit", "img/other.audit", "renamed"):
        assert reason(delivery, f"{audit_name}/items/r1-0001.png") == item_files.OF_AUDIT


def test_folders_pipes_and_devices_are_not_read(delivery: Path) -> None:
    os.mkfifo(delivery.parent / "pipe.png")
    (delivery.parent / "folder.png").mkdir()
    start = time.monotonic()
    for name in ("./img", "pipe.png", "folder.png"):
        assert reason(delivery, name) == item_files.NO_FILE
    assert reason(Path("/dev/delivery.csv"), "./null") == item_files.NO_FILE
    assert time.monotonic() - start < 5


def test_very_large_files_are_not_copied(delivery: Path) -> None:
    path = delivery.parent / "film.mp4"
    path.write_bytes(MEDIA[".mp4"])
    os.truncate(path, item_files.MOST_BYTES)
    assert isinstance(ItemFolder(delivery).find("film.mp4"), ItemFile)
    os.truncate(path, item_files.MOST_BYTES + 1)
    assert reason(delivery, "film.mp4") == item_files.TOO_LARGE


def test_names_that_cannot_be_are_no_error(delivery: Path) -> None:
    assert reason(delivery, f"{'a' * 300}.png") == item_files.ABSENT
    assert reason(delivery, "img/1.png/2.png") == item_files.ABSENT
    assert reason(delivery, f"{'a/' * 2_000}1.png") == item_files.ABSENT
    for value in ("", None, "a\0.png", f"{'a/' * 5_000}1.png", "and/or", "two words.png"):
        assert ItemFolder(delivery).find(value) is None


def test_what_was_exchanged_after_it_was_judged_is_not_copied(delivery: Path, tmp_path: Path) -> None:
    picture, copy = delivery.parent / "img" / "1.png", io.BytesIO()
    for change in ("content", "link", "gone"):
        picture.write_bytes(PNG)
        found = ItemFolder(delivery).find("img/1.png")
        assert isinstance(found, ItemFile)
        if change == "content":
            picture.write_bytes(b"API_KEY=1")
        else:
            picture.unlink()
        if change == "link":
            picture.symlink_to(tmp_path / "secret.png")
        with pytest.raises((AuditError, OSError)):
            copy_item(found, copy)
        assert not copy.getvalue()
        picture.unlink(missing_ok=True)


def test_a_folder_that_is_exchanged_for_a_link_while_it_is_looked_at_is_not_followed(
    delivery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, look = delivery.parent / "img", Path.lstat

    def look_and_exchange(path: Path) -> os.stat_result:
        found = look(path)
        if path.name == "1.png":
            folder.rename(delivery.parent / "before")
            folder.symlink_to(delivery.parent / "private")
        return found

    (delivery.parent / "private").mkdir()
    (delivery.parent / "private" / "1.png").write_bytes(PNG)
    monkeypatch.setattr(Path, "lstat", look_and_exchange)
    assert reason(delivery, "img/1.png") == item_files.UNREADABLE


def test_a_file_that_is_exchanged_for_a_second_name_while_it_is_looked_at_is_not_read(
    delivery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, look = delivery.parent.parent / "secret.png", Path.lstat

    def look_and_exchange(path: Path) -> os.stat_result:
        found = look(path)
        if path.name == "1.png":
            path.unlink()
            os.link(secret, path)
        return found

    monkeypatch.setattr(Path, "lstat", look_and_exchange)
    assert reason(delivery, "img/1.png") == item_files.SECOND_NAME


def test_whether_a_text_is_a_location_takes_time_in_proportion_to_it() -> None:
    start = time.process_time()
    for text in ("/" * 1_000_000 + " x", "a." * 500_000 + " ", "a.b/" * 250_000, "://" * 300_000 + "\n"):
        assert not is_location(text)
    assert time.process_time() - start < 2
