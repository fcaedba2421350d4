"""The one thing of EXIF that a picture needs in order to look the same: which way is up."""

import struct

UPRIGHT = 1


def orientation_exif(orientation: int) -> bytes:
    """Return EXIF (a TIFF header and one directory) that holds an orientation and nothing else."""
    # Big-endian; one entry: tag 0x0112, a short, once; no directory after it.
    return b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
