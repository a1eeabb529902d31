"""One scan on many machines: tasks of some accounts each, handed to the workers of a Dask cluster."""

from scanner.scale.connect import check_address, connected
from scanner.scale.coordinator import DistributedScan, scan_on, stream_on

__all__ = ["DistributedScan", "check_address", "connected", "scan_on", "stream_on"]
