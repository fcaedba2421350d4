"""Format numbers: what this version of Cupel writes. `docs/reference/formats.md` has the history of each.

A number goes up when an older version of Cupel could not read, or would misread, what a newer one writes.
"""

LAKE = 3
RELEASE = 3
ANSWERS_LOG = 1
ACTIONS_LOG = 2
REGISTER = 1
PROJECT_FILE = 1

# The first format of releases that have their number in the manifest; older ones all say 1, and their columns tell.
FIRST_NUMBERED_RELEASE = 3
# The oldest lake that a run can go on with; of an older one it would make some tables anew, and could not read others.
OLDEST_LAKE_TO_WRITE = 3
