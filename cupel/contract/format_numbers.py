"""Format numbers: what this version of Cupel writes. `docs/reference/formats.md` has the history of each.

A number goes up when an older version of Cupel could not read, or would misread, what a newer one writes.
"""

LAKE = 6
RELEASE = 6
ANSWERS_LOG = 1
PROJECT_FILE = 1

# The first format of releases that have their number in the manifest; older ones all say 1, and their columns tell.
FIRST_NUMBERED_RELEASE = 3
# The last format of releases whose draw followed from labels and a seed that the project chose.
LAST_CHOSEN_SEED = 3
# The last format of releases whose classes and slices were not bounded.
LAST_WITHOUT_SLICES = 4
# The oldest lake that a run can go on with; of an older one it would make some tables anew, could not read others, or
# would append to logs that are no event logs.
OLDEST_LAKE_TO_WRITE = 4
# The oldest lake whose tables are those of now.
OLDEST_LAKE_OF_THESE_TABLES = 3
