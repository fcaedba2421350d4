import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SigningError
from cupel.signing.envelopes import sign_payload
from cupel.signing.keys import make_key, write_key
from cupel.signing.trusted_keys import (
    Revocation,
    TrustedKeys,
    add_key,
    add_successor,
    format_trusted_keys,
    name_successor,
    parse_trusted_keys,
    read_trusted_keys,
    revoke_key,
    write_trusted_keys,
)

NOW = "2026-11-30T00:00:00Z"
OLD, NEW, OTHER = make_key(), make_key(), make_key()
TRUSTED = add_key(TrustedKeys((), "keys.json"), OLD.public, "Anna", NOW)
ROTATED = add_successor(TRUSTED, name_successor(OLD, NEW.public), NOW)
LOST = Revocation(NOW, "lost")


def test_a_trust_file_that_was_written_is_read_again(tmp_path: Path) -> None:
    trusted = revoke_key(add_key(ROTATED, OTHER.public, "Béla", NOW), OTHER.public.key_id, LOST)
    write_trusted_keys(trusted, tmp_path / "keys.json")
    found = read_trusted_keys(tmp_path / "keys.json")
    assert format_trusted_keys(found) == format_trusted_keys(trusted)
    assert [(key.who, key.revoked) for key in found.keys] == [("Anna", None), ("Anna", None), ("Béla", LOST)]


def test_a_public_key_alone_is_a_trust_file_of_one(tmp_path: Path) -> None:
    path = write_key(OLD, tmp_path / "anna.pem", None)
    [found] = read_trusted_keys(path).keys
    assert (found.public, found.who) == (OLD.public, "anna.public.pem")


def test_the_key_that_an_old_one_names_is_trusted_as_its_holders() -> None:
    assert [(key.key_id, key.who) for key in ROTATED.keys] == [
        (OLD.public.key_id, "Anna"), (NEW.public.key_id, "Anna"),
    ]  # fmt: skip


def test_a_key_that_is_revoked_later_takes_nothing_back_that_it_named_before() -> None:
    revoked = revoke_key(ROTATED, OLD.public.key_id, LOST)
    found = parse_trusted_keys(format_trusted_keys(revoked), "keys.json").find(NEW.public.key_id)
    assert found is not None
    assert found.revoked is None


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: add_successor(TRUSTED, name_successor(OTHER, NEW.public), NOW), "does not hold"),
        (lambda: add_successor(ROTATED, name_successor(OLD, OTHER.public), NOW), "has named a successor already"),
        (lambda: add_successor(TRUSTED, name_successor(OLD, OLD.public), NOW), "is there already"),
        (lambda: add_successor(TRUSTED, sign_payload(b"{}", OLD), NOW), "_type None"),
        (
            lambda: add_successor(revoke_key(TRUSTED, OLD.public.key_id, LOST), name_successor(OLD, NEW.public), NOW),
            r"\(Anna\), revoked since",
        ),
        (lambda: add_key(TRUSTED, OLD.public, "Eve", NOW), r"\(Anna\) is there already"),
        (lambda: add_key(TRUSTED, NEW.public, " ", NOW), "give --who"),
        (
            lambda: add_key(revoke_key(TRUSTED, OLD.public.key_id, LOST), OLD.public, "Anna", NOW),
            "was revoked, and is not trusted again",
        ),
        (lambda: revoke_key(TRUSTED, OLD.public.key_id[:7], LOST), "give 8 digits or more"),
        (lambda: revoke_key(TRUSTED, "0" * 64, LOST), "0 keys begin so"),
        (lambda: revoke_key(TRUSTED, OLD.public.key_id, Revocation(NOW, "")), "needs its reason"),
        (
            lambda: revoke_key(revoke_key(TRUSTED, OLD.public.key_id, LOST), OLD.public.key_id, LOST),
            "is revoked since",
        ),
    ],
)
def test_what_cannot_be_done_with_keys_is_refused(act: Callable[[], Any], words: str) -> None:
    with pytest.raises(SigningError, match=words):
        act()


def alter(place: int, **fields: Any) -> bytes:
    content = json.loads(format_trusted_keys(ROTATED))
    content["keys"][place].update(fields)
    return json.dumps(content).encode()


OF_OTHER = json.loads(format_trusted_keys(add_successor(
    add_key(TrustedKeys((), "keys.json"), OTHER.public, "Eve", NOW), name_successor(OTHER, NEW.public), NOW
)))["keys"][0]["rotated_by"]  # fmt: skip
CONTENT = format_trusted_keys(ROTATED)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JSON"),
        (b"{}", "no trust file of format 1"),
        (CONTENT.replace(b'"who"', b'"who": "Eve", "who"', 1), 'the key "who" stands twice'),
        (alter(0, public="00"), "key 1: public: expected 64"),
        (alter(0, public="0" * 64), "is not that of its public key"),
        (alter(0, who=None), "key 1: expected key_id, public, who and added"),
        (alter(0, revoked={"since": NOW}), "revoked: expected since and reason"),
        (alter(0, revoked="no"), "revoked: expected since and reason"),
        (alter(0, rotated_by="no"), "rotated_by: expected an envelope"),
        (alter(0, rotated_by=OF_OTHER), "rotated_by: signed by key .* does not hold"),
        (alter(1, **json.loads(CONTENT)["keys"][0]), "stands there twice"),
        (json.dumps({"format": 1, "keys": json.loads(CONTENT)["keys"][:1]}).encode(), "which is not in the file"),
    ],
)
def test_a_trust_file_that_was_altered_is_refused_with_the_reason(content: bytes, words: str) -> None:
    with pytest.raises(SigningError, match=words):
        parse_trusted_keys(content, "keys.json")
