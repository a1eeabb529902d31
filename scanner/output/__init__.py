"""What a scan is written as, and where to: one module for each format, one table that names them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scanner.output.atomic_files import atomic
    from scanner.output.destination import Output, check_output, check_outputs, open_output, parse_output
    from scanner.output.formats import FORMATS, Format, format_of
    from scanner.output.inventories import merge_inventories, read_inventory, write_inventory
    from scanner.output.ndjson import NdjsonWriter
    from scanner.output.outputs import Outputs
    from scanner.output.s3_upload import Bucket, give_up, object_arguments, save, upload
    from scanner.output.spool import open_spool, spooling

__all__ = [
    "FORMATS",
    "Bucket",
    "Format",
    "NdjsonWriter",
    "Output",
    "Outputs",
    "atomic",
    "check_output",
    "check_outputs",
    "format_of",
    "give_up",
    "merge_inventories",
    "object_arguments",
    "open_output",
    "open_spool",
    "parse_output",
    "read_inventory",
    "save",
    "spooling",
    "upload",
    "write_inventory",
]

_HOMES = {
    "Bucket": "s3_upload",
    "FORMATS": "formats",
    "Format": "formats",
    "NdjsonWriter": "ndjson",
    "Output": "destination",
    "Outputs": "outputs",
    "atomic": "atomic_files",
    "check_output": "destination",
    "check_outputs": "destination",
    "format_of": "formats",
    "give_up": "s3_upload",
    "merge_inventories": "inventories",
    "object_arguments": "s3_upload",
    "open_output": "destination",
    "open_spool": "spool",
    "parse_output": "destination",
    "read_inventory": "inventories",
    "save": "s3_upload",
    "spooling": "spool",
    "upload": "s3_upload",
    "write_inventory": "inventories",
}


def __getattr__(name: str) -> Any:
    # Loaded when first used: the help of the command line needs the table of formats alone.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
