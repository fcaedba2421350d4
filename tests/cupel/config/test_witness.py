from typing import Any

import pytest
from pydantic import ValidationError

from cupel.config.release import Certificate, Witness

AUTHORITY: dict[str, Any] = {"timestamp_authority": "https://time.example.org/stamp", "certificates": "roots.pem"}


def test_a_witness_is_named_by_its_host_or_its_program() -> None:
    assert Witness(**AUTHORITY).name == "time.example.org"
    assert Witness(command=("ssh", "notary@example.org")).name == "ssh"


def test_without_a_witness_no_version_of_a_table_knows_that_there_is_such_a_key() -> None:
    assert "witness" not in Certificate().model_dump()
    assert "witness" in Certificate(witness=Witness(**AUTHORITY)).model_dump()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "give a timestamp_authority or a command"),
        ({**AUTHORITY, "command": ["notary"]}, "give a timestamp_authority or a command"),
        ({"timestamp_authority": "https://time.example.org"}, "give certificates with a timestamp_authority"),
        ({"command": ["notary"], "certificates": "roots.pem"}, "give certificates with a timestamp_authority"),
        ({**AUTHORITY, "timestamp_authority": "https://me:secret@time.example.org"}, "should match pattern"),
        ({**AUTHORITY, "timestamp_authority": "file:///etc/passwd"}, "should match pattern"),
        ({"command": [""]}, "at least 1 character"),
        ({"command": ["notary"], "timeout_seconds": 0}, "greater than 0"),
        ({"command": ["notary"], "timeout_seconds": 301}, "less than or equal to 300"),
    ],
)
def test_a_witness_that_cannot_be_asked_is_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Witness.model_validate(settings)


def test_a_nonce_of_the_project_file_and_a_witness_are_not_together() -> None:
    with pytest.raises(ValidationError, match="a nonce known before the freeze leaves nothing to witness; remove one"):
        Certificate.model_validate({"nonce": "chosen", "witness": AUTHORITY})
