"""The jobs of a project, by name: what the page lists, and what a run says that it is of."""


def batch_job(project: str) -> str:
    """Return the name of the job that takes a batch through raw, cleaning, labeling and checking."""
    return f"{project}_batch"


def release_job(project: str) -> str:
    """Return the name of the job that freezes, audits and releases."""
    return f"{project}_release"


def report_job(project: str) -> str:
    """Return the name of the job that writes a release's report, whatever its gates said."""
    return f"{project}_report"


def chain_jobs(project: str) -> set[str]:
    """Return the names of the jobs that work on one batch or release."""
    return {batch_job(project), release_job(project), report_job(project)}
