"""What holds for all tests: a law is not broken by a busy machine that takes longer for an example."""

from contextlib import suppress

with suppress(ImportError):  # the tools' own environment has none
    from hypothesis import settings

    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")
