"""A release pushed to a hub of data sets: verified before, private unless asked otherwise, without its report.

The hub is the Hugging Face Hub, or any server that speaks its protocol. The package `huggingface_hub` does the talking.
"""

import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

from cupel.errors import ReleaseError
from cupel.release import layout
from cupel.release.older_formats import may_be_left_out
from cupel.release.verify import Verification, verify_release
from cupel.store.files import list_all_files

TOKEN_VARIABLE = "HF_TOKEN"
ENDPOINT_VARIABLE = "HF_ENDPOINT"
DEFAULT_ENDPOINT = "https://huggingface.co"
PACKAGE_MISSING = "the package huggingface_hub is not installed; `pip install 'cupel[hub]'` brings it"


class PushedRelease(NamedTuple):
    """What a push left at the hub: where the release is, its revision, and the files that were not there before."""

    url: str
    revision: str
    files: int
    is_new: bool


def push_release(release: Path, name: str, endpoint: str | None = None, *, is_public: bool = False) -> PushedRelease:
    """Push a release to a hub; pushing the same again changes nothing.

    Args:
        release: The release's folder.
        name: The data set's name at the hub, as `owner/name`.
        endpoint: The hub's address; None: that of the environment, or the Hugging Face Hub.
        is_public: Anybody may see it; else a new data set is private. One that is there stays as it is.

    Returns:
        Where it is, and its revision.

    Raises:
        ReleaseError: The release does not verify, is of a format that has to keep its report, or holds files that are
            none of a release; the package is missing, no token is given, or the hub refuses.
    """
    api, errors = _connect(endpoint)
    found = verify_release(release)
    if not found.is_passed:
        wrong = next(check for check in found.checks if not check.is_passed)
        raise ReleaseError(f"{release}: not pushed: {wrong.name}: {wrong.problem}; see `cupel verify {release}`")
    names = files_to_push(release, found)
    try:
        api.create_repo(name, repo_type="dataset", private=not is_public, exist_ok=True)
        before = _revision(api, name)
        _check_other(api, name)
        api.upload_folder(
            repo_id=name, repo_type="dataset", folder_path=str(release), allow_patterns=[_as_pattern(n) for n in names],
            commit_message=f"{found.release}, release_sha256 {found.release_sha256}",
        )  # fmt: skip
        after = _revision(api, name)
    except errors as error:
        raise ReleaseError(f"{name} at {api.endpoint}: not pushed: {_first_line(error)}") from None
    return PushedRelease(f"{api.endpoint}/datasets/{name}", after, len(names), before != after)


def files_to_push(release: Path, found: Verification) -> list[str]:
    """Return the files of a release that go to a hub: all but those that name annotators or tell of the machine.

    Raises:
        ReleaseError: It is of a format whose releases do not verify without their report.
    """
    if layout.REPORT_FILE not in may_be_left_out(found.format):
        raise ReleaseError(
            f"{release}: of format {found.format}, which does not verify without {layout.REPORT_FILE}; the report "
            "names annotators, so it is not pushed. Make a new release, or hand the folder over by another way"
        )
    left = {*layout.MAY_BE_LEFT_OUT, *layout.NOT_COVERED}
    names = {path.relative_to(release).as_posix() for path in list_all_files(release)}
    return sorted(names - left)


def _connect(endpoint: str | None) -> tuple[Any, tuple[type[Exception], ...]]:
    """Return what talks to the hub, and what it raises where the hub refuses or is not there."""
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError:
        raise ReleaseError(PACKAGE_MISSING) from None
    token = os.environ.get(TOKEN_VARIABLE)
    if not token:
        raise ReleaseError(f"no token: put one that may write into the environment variable {TOKEN_VARIABLE}")
    address = endpoint or os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT
    api = HfApi(endpoint=address.rstrip("/"), token=token)
    return api, (HfHubHTTPError, HFValidationError, OSError, *_transport_errors())


def _transport_errors() -> list[type[Exception]]:
    """Return what the package's own HTTP client raises where a hub is not there: one of these, by its version."""
    clients = [sys.modules[name] for name in ("httpx", "httpx2", "requests") if name in sys.modules]
    names = ("HTTPError", "RequestException")
    return [getattr(client, name) for client in clients for name in names if hasattr(client, name)]


def _revision(api: Any, name: str) -> str:
    return str(api.dataset_info(name).sha)


def _check_other(api: Any, name: str) -> None:
    """Refuse to put a release over what is none: files that are not its own would stay between its own."""
    there = set(api.list_repo_files(name, repo_type="dataset")) - {".gitattributes"}
    if there and layout.MANIFEST_FILE not in there:
        raise ReleaseError(f"{name} at {api.endpoint}: holds {sorted(there)[0]} and no release; push to a new data set")


def _as_pattern(name: str) -> str:
    """Return a pattern that only this name matches."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
