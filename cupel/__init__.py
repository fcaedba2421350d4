"""Cupel: know how wrong your labels are before you pay for them or train on them."""

from typing import Any

__version__ = "0.1.0"

# Classes for Dagster, by the name that its YAML calls them by: `type: cupel.Project`. They are of the chain, which
# imports Dagster, and so are known here by name only, and imported when somebody asks for one.
_COMPONENTS = ("Project",)


def __getattr__(name: str) -> Any:
    if name not in _COMPONENTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import entry_points

    for component in entry_points(group="cupel.components", name=name):
        try:
            return component.load()
        except ImportError as error:
            raise ImportError(
                f"cupel.{name}: the chain cannot be imported ({error}); install it by `pip install 'cupel[chain]'`, "
                "and see that no package of your own is named assets, expectations or orchestration"
            ) from error
    raise ImportError(f"cupel.{name}: this installation knows no chain; install it by `pip install 'cupel[chain]'`")


def __dir__() -> list[str]:
    """Return what there is, with the components that can be imported: `dg` asks for every name that it is told."""
    return sorted({*globals(), *(name for name in _COMPONENTS if _is_there(name))})


def _is_there(name: str) -> bool:
    try:
        __getattr__(name)
    except ImportError:
        return False
    return True
