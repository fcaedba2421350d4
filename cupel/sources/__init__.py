"""Reading a delivery: its files, row by row, into items and rejected rows. Nothing is judged here but readability."""

from cupel.sources.delivery import Chunk, DeliveryReader, read_delivery
from cupel.sources.files import SourceFile, file_sha256, source_files
from cupel.sources.reasons import REASONS

__all__ = ["REASONS", "Chunk", "DeliveryReader", "SourceFile", "file_sha256", "read_delivery", "source_files"]
