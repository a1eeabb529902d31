"""What a scan is written as, and where to: one module for each format, one table that names them."""

from scanner.output.atomic_files import atomic
from scanner.output.destination import Output, check_output, check_outputs, open_output, parse_output
from scanner.output.formats import FORMATS, Format, format_of
from scanner.output.ndjson import NdjsonWriter
from scanner.output.s3_upload import Bucket, give_up, object_arguments, save, upload
from scanner.output.spool import open_spool, spooling

__all__ = [
    "FORMATS",
    "Bucket",
    "Format",
    "NdjsonWriter",
    "Output",
    "atomic",
    "check_output",
    "check_outputs",
    "format_of",
    "give_up",
    "object_arguments",
    "open_output",
    "open_spool",
    "parse_output",
    "save",
    "spooling",
    "upload",
]
