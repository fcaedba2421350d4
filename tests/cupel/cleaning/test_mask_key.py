"""The key of a project's tokens: drawn once, or given, and never exchanged unseen."""

from pathlib import Path

import pytest

from cupel.cleaning.mask_key import FINGERPRINT, KEY, bring_key, mask_key
from cupel.config.cleaning import Cleaning
from cupel.errors import LakeError, ProjectError

SECRET = "a secret of more than thirty-two characters"


def test_the_key_is_drawn_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    key = mask_key(Cleaning(), tmp_path / "lake")
    assert key is not None
    assert (len(key), mask_key(Cleaning(), tmp_path / "lake")) == (32, key)
    assert (tmp_path / "lake" / KEY).stat().st_mode & 0o077 == 0
    assert mask_key(Cleaning(), tmp_path / "other") != key


def test_where_tokens_tell_the_kind_alone_no_key_is_made(tmp_path: Path) -> None:
    assert mask_key(Cleaning(masks="kind"), tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_given_secret_gives_the_same_key_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Cleaning(mask_key_env="MASKS")
    monkeypatch.setenv("MASKS", SECRET)
    assert mask_key(settings, tmp_path / "one") == mask_key(settings, tmp_path / "two")
    assert not (tmp_path / "one" / KEY).exists()
    monkeypatch.setenv("MASKS", SECRET + "!")
    with pytest.raises(LakeError, match="another key"):
        mask_key(settings, tmp_path / "one")


@pytest.mark.parametrize(("value", "said"), [("", "not set"), ("short", "5 characters")])
def test_a_secret_that_is_none_is_refused(
    value: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKS", value)
    with pytest.raises(ProjectError, match=said):
        mask_key(Cleaning(mask_key_env="MASKS"), tmp_path)


def test_a_lost_or_damaged_key_is_told_and_not_drawn_anew(tmp_path: Path) -> None:
    mask_key(Cleaning(), tmp_path)
    (tmp_path / KEY).write_bytes(b"short")
    with pytest.raises(LakeError, match="holds 5 bytes"):
        mask_key(Cleaning(), tmp_path)
    (tmp_path / KEY).unlink()
    with pytest.raises(LakeError, match="the key is gone"):
        mask_key(Cleaning(), tmp_path)


def test_a_key_can_be_brought_to_another_lake(tmp_path: Path) -> None:
    key = mask_key(Cleaning(), tmp_path / "one")
    bring_key(tmp_path / "one", tmp_path / "two")
    assert mask_key(Cleaning(), tmp_path / "two") == key
    assert (tmp_path / "two" / FINGERPRINT).exists()
    bring_key(tmp_path / "none", tmp_path / "three")
    assert not (tmp_path / "three").exists()
