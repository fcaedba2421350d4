"""Commands on keys and signatures: nothing but files that a person names."""

from datetime import UTC, datetime
from pathlib import Path

import click

from cupel.commands.options import FILE, FILE_OR_FOLDER

PASSPHRASE = "CUPEL_PASSPHRASE"
_KEYS = click.option(
    "--keys", type=FILE, default=Path("keys.json"), show_default=True, help="The trust file: whose keys you trust."
)


@click.group()
def key() -> None:
    """Make keys, and keep the file of those that you trust."""


@key.command("new")
@click.argument("file", type=FILE)
@click.option(
    "--passphrase",
    "is_encrypted",
    is_flag=True,
    help=f"Encrypt it; the passphrase is asked for, or taken from the variable {PASSPHRASE}.",
)
def make_new(file: Path, is_encrypted: bool) -> None:
    """Make a key: FILE is its private part, to be kept; the public part, to be given away, lies beside it.

    Exit codes: 0 made, 1 error.
    """
    from cupel.signing.keys import make_key, write_key

    made = make_key()
    public = write_key(made, file, _ask_passphrase(is_new=True) if is_encrypted else None)
    click.echo(f"{file}: the private key; only its owner may read it, and it is never given away")
    click.echo(f"{public}: the public key, for whoever checks what you sign")
    click.echo(f"key {made.public.key_id}")


@key.command("add")
@click.argument("file", type=FILE)
@click.option("--who", default="", help="Who holds the key; with a public key only.")
@_KEYS
def add(file: Path, who: str, keys: Path) -> None:
    """Trust a key: FILE is a public key that its holder gave you, or what `cupel key rotate` wrote.

    Compare the printed key with what its holder reads out to you. A rotation counts if a key that you trust signed it.
    Exit codes: 0 added, 1 error.
    """
    from cupel.signing.envelopes import read_envelope
    from cupel.signing.keys import read_public_key
    from cupel.signing.trusted_keys import add_key, add_successor, read_or_begin, write_trusted_keys

    trusted = read_or_begin(keys)
    if file.suffix == ".json":
        trusted = add_successor(trusted, read_envelope(file), _now())
    else:
        trusted = add_key(trusted, read_public_key(file), who, _now())
    write_trusted_keys(trusted, keys)
    added = trusted.keys[-1]
    click.echo(f"{keys}: trusts key {added.key_id} ({_printable(added.who)})")


@key.command("rotate")
@click.argument("old", type=FILE)
@click.argument("new", type=FILE)
def rotate(old: Path, new: Path) -> None:
    """Let another key take over: the private key OLD signs a statement that names the public key NEW.

    The statement is written beside NEW, for those who trust OLD: they add it with `cupel key add`. What OLD signed
    before holds as it did. Exit codes: 0 written, 1 error.
    """
    from cupel.errors import SigningError
    from cupel.signing.envelopes import format_envelope
    from cupel.signing.keys import PUBLIC_ENDING, read_private_key, read_public_key
    from cupel.signing.signed_files import ENVELOPE_ENDING
    from cupel.signing.trusted_keys import name_successor
    from cupel.store.files import put_file

    envelope = name_successor(read_private_key(old, _ask_passphrase), read_public_key(new))
    target = new.with_name(f"{new.name.removesuffix(PUBLIC_ENDING)}.rotation{ENVELOPE_ENDING}")
    try:
        put_file(target, format_envelope(envelope))
    except OSError as error:
        raise SigningError(f"{target}: cannot be written: {error.strerror}; choose another folder") from error
    click.echo(f"{target}: for everybody who trusts the old key: `cupel key add {target.name}`")


@key.command("revoke")
@click.argument("key_id")
@click.option("--reason", required=True, help="Why; whoever meets a signature by the key reads it.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="Since when, UTC.  [default: now]"
)
@_KEYS
def revoke(key_id: str, reason: str, since: datetime | None, keys: Path) -> None:
    """Trust a key no more; 8 digits of KEY_ID are enough.

    No signature by it holds from then on, whatever time it names: offline nobody can know when it was made.
    Exit codes: 0 revoked, 1 error.
    """
    from cupel.signing.trusted_keys import Revocation, read_trusted_keys, revoke_key, write_trusted_keys

    moment = _now() if since is None else since.strftime("%Y-%m-%dT%H:%M:%SZ")
    before = read_trusted_keys(keys)
    after = revoke_key(before, key_id, Revocation(moment, reason))
    write_trusted_keys(after, keys)
    revoked = after.find_prefix(key_id)
    click.echo(f"{keys}: key {revoked.key_id} ({_printable(revoked.who)}) is revoked since {moment}")
    if revoked.successor is not None:
        click.echo("It named a key that takes over; if that was not its holder, revoke that key too.")


@key.command("list")
@_KEYS
def show_keys(keys: Path) -> None:
    """Show the keys of a trust file: who holds them, since when they are there, which were revoked.

    Exit codes: 0 shown, 1 error.
    """
    from cupel.signing.trusted_keys import read_successor, read_trusted_keys

    for one in read_trusted_keys(keys).keys:
        state = "trusted" if one.revoked is None else f"revoked since {one.revoked.since}: {one.revoked.reason}"
        if one.successor is not None:
            state += f"; succeeded by {read_successor(one.successor).key_id}"
        click.echo(_printable(f"{one.key_id}  {one.who}  added {one.added or 'by name'}  {state}"))


@click.command()
@click.argument("what", metavar="RELEASE|FILE", type=FILE_OR_FOLDER)
@click.option("--key", "key_file", type=FILE, required=True, help="Your private key; see `cupel key new`.")
def sign(what: Path, key_file: Path) -> None:
    """Sign a release, or any single file, such as a filled sheet or a file of answers.

    A release must verify. The signature is a DSSE envelope: signatures/KEYID.dsse.json in the release's folder,
    FILE.dsse.json beside a file. Exit codes: 0 signed, 1 error.
    """
    from cupel.signing.keys import read_private_key
    from cupel.signing.signed_files import sign_file
    from cupel.store.files import is_folder

    private = read_private_key(key_file, _ask_passphrase)
    if is_folder(what):
        from cupel.release.release_signatures import sign_release

        target = sign_release(what, private)
    else:
        from cupel.people.answers.signed_answers import describe_answers

        target = sign_file(what, private, describe_answers(what))
    click.echo(f"{target}: signed by key {private.public.key_id}")


def _ask_passphrase(is_new: bool = False) -> str:
    """Return the passphrase from the environment, or from the person at the terminal."""
    from os import environ

    if PASSPHRASE in environ:
        return environ[PASSPHRASE]
    asked: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=is_new, err=True)
    return asked


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _printable(text: str) -> str:
    from cupel.printable import printable

    return printable(text)
