"""What OpenTelemetry costs a scan: not there, there and not set up, and set up with an exporter that drops all.

python -m benchmarks.telemetry
"""

import asyncio
import json
import sys
from statistics import median
from typing import Any

from benchmarks.fleet import ROLE, account_ids, regions
from benchmarks.served import Spec, cpu, measured, reporting, served, verdict

FLEET = Spec(accounts=10, regions=6, gateways=6, volumes=1)
SCANS = 2
ROUNDS = 5


def scanned(how: str) -> dict[str, Any]:
    """The CPU of each of a few scans of one Scanner, after a first one that makes connections."""
    from scanner import Scanner, ScannerConfig, api
    from scanner.telemetry import Observed

    if how == "absent":
        api.observe = lambda service, emit, *_, **__: Observed(service, emit)  # type: ignore[attr-defined]
    if how in ("idle", "sdk"):
        from opentelemetry import metrics, trace
    if how == "sdk":
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

        class Dropped(SpanExporter):
            def export(self, spans: Any) -> SpanExportResult:
                return SpanExportResult.SUCCESS

        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(Dropped()))
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))

    async def scan(spec: Spec) -> dict[str, Any]:
        config = ScannerConfig.model_validate(
            {
                "scan": {"regions": regions(spec)},
                "accounts": [{"id": each, "role": ROLE} for each in account_ids(spec)],
            }
        )
        async with Scanner(config) as scanner:
            await scanner.scan()
            began, calls = cpu(), 0
            for _ in range(SCANS):
                calls += (await scanner.scan()).coverage.calls.attempted
            return {"calls": calls, "seconds": cpu() - began, "imported": "opentelemetry" in sys.modules}

    return asyncio.run(scan(FLEET))


JOBS = {how: lambda spec, how=how: scanned(how) for how in ("absent", "unused", "idle", "sdk")}


def main() -> None:
    costs: dict[str, list[float]] = {how: [] for how in JOBS}
    imported = {}
    with served(FLEET) as emulator:
        for _ in range(ROUNDS):
            for how, seconds in costs.items():
                found = measured("benchmarks.telemetry", how, FLEET, emulator)
                seconds.append(found["seconds"] / found["calls"] * 1e6)
                imported[how] = found["imported"]
    print(f"{'OpenTelemetry':>15}{'imported':>10}{'CPU us a call':>15}{'of absent':>11}")
    # Of the least that each took: what else runs on the machine can only add to it.
    ratios = {how: min(seconds) / min(costs["absent"]) for how, seconds in costs.items()}
    for how, seconds in costs.items():
        print(f"{how:>15}{'yes' if imported[how] else 'no':>10}{median(seconds):15.0f}{ratios[how]:11.2f}")
    verdict(
        {
            "it is not imported where nobody uses it": not imported["unused"],
            "and costs nothing there (0.05 for the noise)": ratios["unused"] <= 1.05,
            "nor where the API is imported and not set up": ratios["idle"] <= 1.05,
        }
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        reporting(JOBS[sys.argv[1]], Spec(**json.loads(sys.argv[2])))
    else:
        main()
