"""What a scan is written as, and where to: one module for each format, one table that names them."""

from scanner.output.formats import FORMATS, Format, format_of
from scanner.output.ndjson import NdjsonWriter

__all__ = ["FORMATS", "Format", "NdjsonWriter", "format_of"]
