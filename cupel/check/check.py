"""Checking a whole lake: in full, or in the light form that every run begins and ends with."""

from cupel.check.accept import read_accepted
from cupel.check.damage import Damage
from cupel.check.examined import ExaminedLake
from cupel.check.files import check_files, check_formats
from cupel.check.logs import check_logs
from cupel.check.releases import check_releases
from cupel.check.tables import check_tables, remember_tables
from cupel.lake.lake import Lake

OF_TABLES = ("table", "frozen table")


def find_damage(lake: Lake, *, is_light: bool) -> list[Damage]:
    """Return what of a lake is damaged, one row a file; what was found whole is remembered.

    Not in a lake of an older format: who goes on with the older version needs the memory as that one reads it.

    Args:
        lake: The project's lake.
        is_light: Files that look as they did when their bytes were verified are not read again. In full, every byte
            of tables, releases and logs is.

    Raises:
        FormatError: A newer version of Cupel wrote the lake.
    """
    if formats := check_formats(lake):
        return formats  # nothing else can be read before
    examined = ExaminedLake(lake, is_light=is_light)
    found: dict[str, Damage] = {}
    for check in (check_logs, check_tables, check_releases, check_files):
        for damage in check(examined):
            found.setdefault(damage.path, damage)
    remember_tables(examined, {(one.table, one.partition) for one in found.values() if one.kind in OF_TABLES})
    if not lake.may_be_earlier():
        examined.memory.write()
    accepted = read_accepted(lake.store)
    return [one for one in found.values() if one.kind != "frozen table" or (one.path, one.what) not in accepted]
