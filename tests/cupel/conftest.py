"""What tests of several rooms are given: small releases, a lake to trace, a delivery and its buyer."""

from label_buyer import make_buyer
from made_releases import certified, provenance, refused, unaudited
from traced_lake import traced

__all__ = ["certified", "make_buyer", "provenance", "refused", "traced", "unaudited"]
