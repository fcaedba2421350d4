"""The project file's section `images`: what is read, kept and released where an item is an image."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cupel.config.base import Positive, Section, Share

# Pillow refuses more, whatever it is told.
MOST_PIXELS = 178_956_970


class Images(Section):
    """How images are read, which are rejected, and what of them a release holds; a null threshold is off, 0 is zero."""

    hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.:-]+$")], ...] = ()
    """Hosts that images may be fetched from, in lower case; empty: none, and the network is not used."""
    fetch_seconds: Annotated[float, Field(gt=0)] = 60.0
    """Time for one image from the network, in all."""
    idle_seconds: Annotated[float, Field(gt=0)] = 10.0
    """Time to connect, and without a byte."""
    max_bytes: Positive = 100_000_000
    """Files with more bytes are rejected."""
    max_pixels: Annotated[int, Field(ge=1, le=MOST_PIXELS)] = 89_478_485
    """Images that declare more pixels are rejected before they are decoded."""
    min_side: Positive | None = 16
    """Images with fewer pixels on their shorter side are rejected."""
    max_aspect_ratio: Annotated[float, Field(ge=1)] | None = 20.0
    """Images whose longer side is more than this many times the shorter are rejected."""
    min_contrast: Share | None = 0.01
    """Images whose colours deviate less, as a share of the range, are rejected: they are of one colour."""
    min_sharpness: Annotated[float, Field(ge=0)] | None = None
    """Images with a smaller variance of the Laplacian are rejected as blurred; what is normal depends on the subject.
    """
    max_dark_share: Share | None = 0.98
    """Images with a larger share of black pixels are rejected."""
    max_bright_share: Share | None = 0.995
    """Images with a larger share of white pixels are rejected."""
    duplicate_bits: Annotated[int, Field(ge=0, le=15)] | None = 8
    """Images whose perceptual hashes of 64 bits differ in at most so many are duplicates; null: only equal files."""
    group_bits: Annotated[int, Field(ge=0, le=15)] = 11
    """Images whose hashes differ in at most so many bits stay in one split."""
    metadata: Literal["strip", "keep"] = "strip"
    """What becomes of place, person and camera (EXIF, XMP, IPTC, comments) in the files that a release holds."""
    released: Literal["files", "references"] = "files"
    """What a release holds of an image: a copy of its file, or its path or address and hash alone."""

    @model_validator(mode="after")
    def _duplicates_are_groups(self) -> "Images":
        if self.duplicate_bits is not None and self.group_bits < self.duplicate_bits:
            raise ValueError("group_bits must not be below duplicate_bits")
        if self.released == "references" and "metadata" in self.model_fields_set and self.metadata == "strip":
            raise ValueError("metadata: is stripped of copies only; set released to files, or leave metadata out")
        return self
