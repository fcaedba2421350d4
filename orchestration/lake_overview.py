"""The first page: what passed, what was refused and why, in every project of a deployment that has been run."""

from assets.page_links import DATA_DOCS, MOUNT, report_link
from cupel.errors import CupelError
from cupel.intake.collect_inputs import current_project
from cupel.lake.lake import Lake
from cupel.show.overview import THE_BEGINNING, gather_overview
from cupel.show.overview_pages import PageLinks, ProjectSummary, overview_page
from cupel.store.files import find_files, is_folder
from orchestration.deployment import Deployment

# Pages of Dagster's, as a reader of verdicts looks for them.
REFUSED_RUNS = "/runs?q%5B0%5D=tag%3Acupel%2Foutcome%3DREFUSED"
PAGES = [
    ("Dagster: timeline", "/overview"),
    ("runs", "/runs"),
    ("runs that were refused", REFUSED_RUNS),
    ("assets", "/assets"),
    ("lineage", "/asset-groups"),
]
NOTHING_YET = "Nothing has been run yet: make run takes the sample through the chain"
DATA_DOCS_INDEX = f"{DATA_DOCS}/index.html"


def render_lake_overview(deployment: Deployment) -> bytes:
    """Return the page; a project of which nothing can be told is named with the reason, and hides no other.

    Args:
        deployment: Where projects, inbox and lake are.
    """
    summaries, unread, pages = [], [], list(PAGES)
    for name in sorted(path.stem for path in find_files(deployment.projects, "*.yaml")):
        lake = Lake(deployment.lake, name)
        if not is_folder(lake.folder / "tables"):
            continue
        try:
            project = current_project(deployment.projects, lake, deployment.known)
            inbox = None if deployment.inbox is None else deployment.inbox / name
            summaries.append(ProjectSummary(gather_overview(lake, project, THE_BEGINNING, inbox), []))
        except CupelError as error:
            unread.append(f"{name}: {error}")
            continue
        if lake.store.stat(DATA_DOCS_INDEX) is not None:
            pages.append((f"Data Docs of {name}", f"{MOUNT}/{name}/{DATA_DOCS_INDEX}"))
    record = "" if summaries or unread else NOTHING_YET
    return overview_page(summaries, record, unread, PageLinks(report_link, pages)).encode()
