"""The errors that a user can cause; each message says what, where and what to do."""

import errno

from cupel.printable import printable

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class CupelError(Exception):
    """Something that a person can put right: a file, a setting, an answer."""

    def __str__(self) -> str:
        """Return the message, safe to print: no terminal obeys what it quotes."""
        return printable(super().__str__())


class ProjectError(CupelError):
    """A project file that cannot be used."""


class SourceError(CupelError):
    """A delivery that cannot be read at all (a single bad row is no error: it is rejected)."""


class TableError(CupelError):
    """Data that breaks the schema of its table."""


class LakeError(CupelError):
    """A table or partition that is missing, altered, or may not be named so."""


class GateError(CupelError):
    """A gate that has not passed for the tables as they are now: nothing behind it is written."""


class ClosedGateError(GateError):
    """A gate that refused, or that is open where nothing may pass: an outcome of the chain, nothing is broken.

    Args:
        message: Which gate, what stands behind it, and why.
        is_open: Whether answers are awaited; else a critical check failed.
    """

    def __init__(self, message: str, is_open: bool) -> None:
        super().__init__(message)
        self.is_open = is_open


class FormatError(CupelError):
    """A lake, release, log or project file of a format that this version of Cupel does not read, or not as it is."""


class AnswerError(CupelError):
    """An answers log that is broken, or an answer that cannot be recorded."""


class WorkforceError(CupelError):
    """A labeling tool that cannot be reached, refuses what is asked, or holds what it should not."""


class CheckerError(CupelError):
    """A checker that cannot give its opinions: a file, an endpoint or a package that is not as it must be."""


class AuditError(CupelError):
    """Audit counts or sheets that cannot be: impossible numbers, wrong or half-filled sheets."""


class OutputError(CupelError):
    """A file that a command may not write: it is an input, or something else wrote it."""


class ReleaseError(CupelError):
    """A release that is missing, altered, or not what its certificate says."""


class DrawnBeforeError(ReleaseError):
    """A draw of a release whose audit was drawn before, of something else."""


class SigningError(CupelError):
    """A key, trust file or signature that is missing, altered, or not what it must be."""


class WitnessError(CupelError):
    """A witness that cannot be reached, or a receipt that is missing, altered, or not what it must be."""


def disk_trouble(error: OSError) -> str:
    """Return what a person must do about trouble with the disk, and the file that it is about.

    >>> disk_trouble(OSError(28, "No space left on device", "lake/movies/run.json"))
    'lake/movies/run.json: the disk is full (No space left on device); free space, then run again'
    """
    where = printable(str(error.filename)) if error.filename else "the lake"
    if error.errno in FULL:
        return f"{where}: the disk is full ({error.strerror}); free space, then run again"
    return printable(str(error))
