"""What to install where a command meets a library that this installation has not."""

# The extra of pyproject.toml with what a command needs beyond the label buyer's installation; others need the chain.
EXTRAS = {
    "accept": "tables", "convert": "tables", "export": "tables", "import": "tables", "sign": "verify",
    "verify": "verify",
}  # fmt: skip
CHAIN = "chain"


def name_extra(command: str | None, error: ModuleNotFoundError) -> str | None:
    """Return in one sentence what a command lacks and how it is installed; None where Cupel's own module is missing.

    Args:
        command: Name of the command, as `import`.
        error: What the import said.

    >>> name_extra("import", ModuleNotFoundError("No module named 'pyarrow.csv'", name="pyarrow.csv"))
    "cupel import needs pyarrow, which is not in this installation: pip install 'cupel[tables]'"
    """
    library = (error.name or "").partition(".")[0]
    if not library or library == "cupel":
        return None
    extra = EXTRAS.get(command or "", CHAIN)
    return f"cupel {command} needs {library}, which is not in this installation: pip install 'cupel[{extra}]'"
