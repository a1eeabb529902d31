"""A scan as OpenTelemetry is told of it: through the SDK's own exporters, against the emulator."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.client import AioBaseClient
from opentelemetry import context, trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from scanner import Scanner
from scanner.emulator import Emulator, Fault
from scanner.inventory.events import ScanStarted
from tests.aws.scans import PROD, REGION, account, config, environment, fleet, gateway, scan
from tests.telemetry.conftest import Recorded

READ = "StorageGateway/ListVolumeRecoveryPoints"


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_scan_is_a_tree_of_scan_target_and_attempts(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    """The scan is a part of what its caller does."""
    async with Emulator(fleet(gateway(1), gateway(2))) as emulator:
        with trace.get_tracer_provider().get_tracer("caller").start_as_current_span("job"):
            inventory = await scan(emulator, monkeypatch, config(account()))
    [whole], [target], reads = recorded.named("scan"), recorded.named("target"), recorded.named(READ)
    assert attributes(whole) == {
        "sgw_scanner.scan.id": inventory.scan.id,
        "sgw_scanner.scan.outcome": "complete",
        "sgw_scanner.calls.attempted": inventory.coverage.calls.attempted,
        "sgw_scanner.calls.retried": 0,
        "sgw_scanner.calls.throttled": 0,
    }
    assert attributes(target) == {
        "cloud.provider": "aws",
        "cloud.account.id": PROD,
        "cloud.region": REGION,
        "sgw_scanner.target.status": "complete",
        "sgw_scanner.target.gateways": 2,
        "sgw_scanner.target.volumes": 2,
    }
    parents = [recorded.parent(each) for each in (reads[0], target, whole)]
    assert [each.name if each else None for each in parents] == ["target", "scan", "job"]
    [assumed] = recorded.named("STS/AssumeRole")
    assert recorded.parent(assumed) == whole
    assert attributes(assumed)["cloud.account.id"] == PROD


async def test_an_attempt_is_named_by_the_stable_rpc_conventions(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    async with Emulator(fleet(gateway(1))) as emulator:
        await scan(emulator, monkeypatch, config(account()))
    [read] = recorded.named(READ)
    facts = attributes(read)
    assert len(facts.pop("aws.request_id")) > 8
    assert read.kind is SpanKind.CLIENT
    assert facts == {
        "rpc.system.name": "aws-api",
        "rpc.method": READ,
        "cloud.provider": "aws",
        "cloud.account.id": PROD,
        "cloud.region": REGION,
    }


async def test_what_is_tried_again_is_an_attempt_that_failed_and_one_that_did_not(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    """It is counted as a retry and as a throttled answer, and the learnt rate is told."""
    throttle = Fault("throttle", operation="ListVolumeRecoveryPoints", times=1)
    async with Emulator(fleet(gateway(1), faults=[throttle])) as emulator:
        await scan(emulator, monkeypatch, config(account()))
    failed, again = sorted(recorded.named(READ), key=lambda span: span.start_time or 0)
    assert (failed.status.status_code, again.status.status_code) == (StatusCode.ERROR, StatusCode.UNSET)
    facts = attributes(failed)
    assert (facts["error.type"], facts["rpc.response.status_code"]) == ("ThrottlingException",) * 2
    assert "aws.request_id" in facts
    assert "error.type" not in attributes(again)
    method = {"rpc.system.name": "aws-api", "rpc.method": READ, "cloud.region": REGION}
    durations = recorded.points("rpc.client.call.duration")
    of_reads = [(named, point.count) for named, point in durations if named["rpc.method"] == READ]
    error = {"error.type": "ThrottlingException"}
    assert sorted(of_reads, key=len) == [({**method, **error}, 1), (method, 1)]
    retries = recorded.points("sgw_scanner.calls.retried")
    assert [(named, point.value) for named, point in retries] == [({"rpc.method": READ, **error}, 1)]
    throttles = recorded.points("sgw_scanner.calls.throttled")
    assert [(named, point.value) for named, point in throttles] == [(method, 1)]
    [(place, rate)] = recorded.points("sgw_scanner.target.rate")
    assert place == {"cloud.provider": "aws", "cloud.account.id": PROD, "cloud.region": REGION}
    assert rate.value > 0


async def test_what_was_not_read_is_an_error_of_its_target(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    async with Emulator(fleet(gateway(1, error="GatewayNotConnected"))) as emulator:
        await scan(emulator, monkeypatch, config(account()))
    [target] = recorded.named("target")
    assert target.status.status_code is StatusCode.ERROR
    assert attributes(target)["error.type"] == "gateway_unreachable"
    assert {attributes(read)["error.type"] for read in recorded.named(READ)} == {"GatewayNotConnected"}


async def test_an_account_that_cannot_be_entered_is_the_error_of_its_targets(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    async with Emulator(fleet(gateway(1))) as emulator:
        await scan(emulator, monkeypatch, config(account(role="nobody")))
    [whole], [target] = recorded.named("scan"), recorded.named("target")
    assert attributes(target)["error.type"] == "access_denied"
    assert attributes(whole)["error.type"] == "failed"
    assert attributes(recorded.named("STS/AssumeRole")[0])["error.type"] == "AccessDenied"


async def test_gateways_have_spans_if_that_is_chosen(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    settings = config(account(), telemetry={"gateways": True}, scan={"details": ["volumes", "gateway"]})
    async with Emulator(fleet(gateway(1), gateway(2))) as emulator:
        inventory = await scan(emulator, monkeypatch, settings)
    spans = recorded.named("gateway")
    arns = {attributes(span)["cloud.resource_id"] for span in spans}
    assert (len(spans), arns) == (2, {each.arn for each in inventory.gateways})
    for name in (READ, "StorageGateway/DescribeGatewayInformation"):
        assert {recorded.parent(read) for read in recorded.named(name)} == set(spans)
    assert {recorded.parent(span) for span in spans} == set(recorded.named("target"))


async def test_every_span_attribute_and_metric_stands_in_its_page(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    throttle = Fault("throttle", operation="ListVolumeRecoveryPoints", times=1)
    settings = config(account(), telemetry={"gateways": True})
    async with Emulator(fleet(gateway(1), faults=[throttle])) as emulator:
        await scan(emulator, monkeypatch, settings)
    used = {name for span in recorded.spans for name in attributes(span)}
    data = recorded.reader.get_metrics_data()
    assert data
    [metrics] = [scope.metrics for each in data.resource_metrics for scope in each.scope_metrics]
    used |= {metric.name for metric in metrics}
    used |= {
        name for metric in metrics for point in metric.data.data_points for name in point.attributes or {}
    }
    page = (Path(__file__).parents[2] / "docs/telemetry.md").read_text()
    assert {
        name for name in used if f"`{name}`" not in page and f"`.{name.split('.')[-1]}`" not in page
    } == set()
    assert len(used) > 20


async def test_a_gateway_that_cannot_be_reached_is_an_error_of_its_span(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    settings = config(account(), telemetry={"gateways": True})
    async with Emulator(fleet(gateway(1), gateway(2, error="GatewayNotConnected"))) as emulator:
        await scan(emulator, monkeypatch, settings)
    ends = {attributes(span).get("error.type"): span.status.status_code for span in recorded.named("gateway")}
    assert ends == {None: StatusCode.UNSET, "gateway_unreachable": StatusCode.ERROR}


async def test_there_is_one_client_span_for_an_attempt_whoever_instruments_the_sdk(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    """Instrumentations look for a key of the context, and make none where it is set."""
    asked, inner = list[str](), AioBaseClient._make_api_call

    async def instrumented(client: Any, operation: str, parameters: Any) -> Any:
        asked.append(operation)
        if context.get_value("suppress_instrumentation"):
            return await inner(client, operation, parameters)
        tracer = trace.get_tracer_provider().get_tracer("aiobotocore")
        with tracer.start_as_current_span(operation, kind=SpanKind.CLIENT):
            return await inner(client, operation, parameters)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", instrumented)
    async with Emulator(fleet(gateway(1))) as emulator:
        await scan(emulator, monkeypatch, config(account(), scan={"details": ["tags"]}))
    assert set(asked) == {"AssumeRole", "GetResources"}
    clients = [span for span in recorded.spans if span.kind is SpanKind.CLIENT]
    assert {span.instrumentation_scope.name for span in clients if span.instrumentation_scope} == {
        "sgw_scanner"
    }
    assert not context.get_value("suppress_instrumentation")


async def test_a_cancelled_scan_leaves_no_span_open(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    listing = asyncio.Event()

    async def silent(*args: Any) -> None:
        listing.set()
        await asyncio.Event().wait()

    async with Emulator(fleet(gateway(1))) as emulator:
        environment(emulator, monkeypatch)
        async with Scanner(config(account())) as scanner:
            monkeypatch.setattr(scanner._service, "list_gateways", silent)
            scanning = asyncio.create_task(scanner.scan())
            await listing.wait()
            scanning.cancel()
            await asyncio.wait([scanning])
    for name in ("scan", "target", "StorageGateway/ListGateways"):
        [span] = recorded.named(name)
        assert (attributes(span)["error.type"], span.status.status_code) == ("cancelled", StatusCode.ERROR)


async def test_logs_of_a_scan_belong_to_its_trace(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded
) -> None:
    """Handlers of logs read the current span; readers of the stream are told the ids."""
    current = list[int]()
    async with Emulator(fleet(gateway(1))) as emulator:
        environment(emulator, monkeypatch)
        async with Scanner(config(account())) as scanner:
            service = scanner._service
            assert service
            ask = service.list_gateways

            async def listing(*args: Any) -> Any:
                current.append(trace.get_current_span().get_span_context().trace_id)
                return await ask(*args)

            monkeypatch.setattr(service, "list_gateways", listing)
            async with scanner.stream() as events:
                started = [event async for event in events if isinstance(event, ScanStarted)]
    [whole] = recorded.named("scan")
    assert whole.context
    assert current == [whole.context.trace_id]
    assert [(each.trace_id, each.span_id) for each in started] == [
        (f"{whole.context.trace_id:032x}", f"{whole.context.span_id:016x}")
    ]


async def test_nothing_is_wrapped_where_nobody_has_set_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API alone, which comes with other packages, passes nothing on."""
    monkeypatch.setattr(trace, "get_tracer_provider", trace.ProxyTracerProvider)
    async with Emulator(fleet(gateway(1))) as emulator:
        environment(emulator, monkeypatch)
        async with Scanner(config(account())) as scanner, scanner.stream() as events:
            assert events._scan.service is scanner._service
            started = [event async for event in events if isinstance(event, ScanStarted)]
    assert started[0].trace_id is None


async def test_an_api_that_lacks_what_is_needed_costs_the_spans_and_not_the_scan(
    monkeypatch: pytest.MonkeyPatch, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "scanner.telemetry.spans", None)
    async with Emulator(fleet(gateway(1))) as emulator:
        inventory = await scan(emulator, monkeypatch, config(account()))
    assert inventory.scan.outcome.value == "complete"
    assert recorded.spans == ()
    assert "install a newer one" in caplog.text


def test_it_is_not_even_imported_where_nobody_uses_it() -> None:
    program = (
        "import asyncio, sys, os\n"
        "from scanner import Scanner, ScannerConfig\n"
        "from scanner.emulator import Emulator, Fleet\n"
        "async def main():\n"
        "    async with Emulator(Fleet.from_toml('docs/examples/fleet.toml')) as emulator:\n"
        "        os.environ.update(emulator.environment())\n"
        "        config = ScannerConfig.model_validate({'scan': {'regions': ['eu-west-1']}})\n"
        "        async with Scanner(config) as scanner:\n"
        "            print((await scanner.scan()).scan.outcome.value)\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'scanner.telemetry.'))])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["complete", "['scanner.telemetry.observe']"]
