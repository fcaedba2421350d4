"""What tests in a browser are given: small releases, and a delivery with its buyer."""

from label_buyer import make_buyer
from made_releases import certified, refused

__all__ = ["certified", "make_buyer", "refused"]
