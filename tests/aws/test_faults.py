"""Each thing that can go wrong on the way, and what the inventory says of it."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.parsers
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from scanner import Scanner
from scanner.aws.errors import failed
from scanner.aws.parse.bodies import guard_of
from scanner.emulator import Emulator, Fault
from scanner.emulator.faults import KINDS, THROTTLES
from scanner.inventory.records import FailureKind, GatewayStatus, Outcome, TargetStatus, VerdictStatus

from .scans import PROD, REGION, account, calls, config, environment, fleet, gateway, scan, shown

Patch = pytest.MonkeyPatch
LIST = "ListGateways"
READ = "ListVolumeRecoveryPoints"
VICTIM = "sgw-00000001"
HASTE = {"hang", "hang_body", "slow", "trickle"}
"""Faults that only the end of a call's time ends."""


def times(*faults: Fault) -> dict[str, Any]:
    """Settings of a scan that waits long for an answer, but where none will come."""
    quick = any(fault.kind in HASTE for fault in faults)
    return {"regions": [REGION], **({"call_timeout": "1s", "connect_timeout": "1s"} if quick else {})}


RECORD = "VolumeRecoveryPointInfos.0"


def mutate(value: Any, field: str) -> Fault:
    return Fault("mutate", patch={f"{RECORD}.{field}": value})


def without(path: str) -> Fault:
    return Fault("mutate", remove=[path])


def becomes(answer: Any) -> Fault:
    return Fault("mutate", change=lambda _: answer)


# What goes wrong with one gateway's recovery points; the kind of its failure; how often it was asked.
AT_A_GATEWAY: list[tuple[Fault, FailureKind, int]] = [
    *((Fault("throttle", code=code), FailureKind.THROTTLED, 2) for code in THROTTLES),
    (Fault("throttle", code="Unheard", status=429), FailureKind.THROTTLED, 2),
    *((Fault("server_error", status=status), FailureKind.SERVER_ERROR, 2) for status in (500, 502, 503, 504)),
    (Fault("server_error", status=500, code="Unheard"), FailureKind.SERVER_ERROR, 2),
    *(
        (Fault("server_error", status=status, body=body), FailureKind.SERVER_ERROR, 2)
        for status in (500, 502, 503)
        for body in ("html", "empty")
    ),
    *(
        (Fault("inner", inner=inner, status=status), FailureKind.SERVER_ERROR, 2)
        for inner in ("InternalError", "ServiceUnavailable")
        for status in (400, 500)
    ),
    (Fault("inner", inner="GatewayNotConnected"), FailureKind.GATEWAY_UNREACHABLE, 2),
    (Fault("inner", inner="GatewayProxyNetworkConnectionBusy"), FailureKind.GATEWAY_UNREACHABLE, 2),
    (Fault("inner", inner="InvalidParameters"), FailureKind.INVALID_REQUEST, 1),
    (Fault("inner", inner="NeverHeardOf"), FailureKind.INVALID_REQUEST, 1),
    (Fault("error", code="ValidationException"), FailureKind.INVALID_REQUEST, 1),
    (Fault("access_denied"), FailureKind.ACCESS_DENIED, 1),
    (Fault("wrong_clock", seconds=60), FailureKind.CREDENTIALS, 1),
    (Fault("not_enabled"), FailureKind.CREDENTIALS, 1),
    *((Fault(kind), FailureKind.INVALID_RESPONSE, 2) for kind in ("html", "empty", "other_shape")),
    *(
        (Fault("other_shape", body=body), FailureKind.INVALID_RESPONSE, 2)
        for body in ("[]", "null", "3", '"text"', "{", "\ufeff{}", "[" * 100_000, "9" * 5_000)
    ),
    (becomes({"VolumeRecoveryPointInfos": {}}), FailureKind.INVALID_RESPONSE, 2),
    (becomes({"VolumeRecoveryPointInfos": "none"}), FailureKind.INVALID_RESPONSE, 2),
    (Fault("mutate", patch={"GatewayARN": "arn:of:another"}), FailureKind.INVALID_RESPONSE, 2),
    (Fault("mutate", patch={RECORD: "no record"}), FailureKind.INVALID_RESPONSE, 1),
    (without(f"{RECORD}.VolumeARN"), FailureKind.INVALID_RESPONSE, 1),
    (mutate(7, "VolumeARN"), FailureKind.INVALID_RESPONSE, 1),
    (mutate("vol-1", "VolumeARN"), FailureKind.INVALID_RESPONSE, 1),
    *(
        (mutate(value, "VolumeSizeInBytes"), FailureKind.INVALID_RESPONSE, 1)
        for value in ("100", -1, 2**63, 1.5, True, [1], 1e300)
    ),
    (mutate("many", "VolumeUsageInBytes"), FailureKind.INVALID_RESPONSE, 1),
    *(
        (mutate(value, "VolumeRecoveryPointTime"), FailureKind.INVALID_RESPONSE, 1)
        for value in (
            "yesterday",
            "",
            1_750_000_000,
            "2026-11-23T08:00:00",
            "2026-02-30T08:00:00Z",
            "0001-01-01T00:00:00+14:00",
            ["2026-11-23T08:00:00Z"],
        )
    ),
    (Fault("foreign_account"), FailureKind.INVALID_RESPONSE, 1),
    (Fault("foreign_region"), FailureKind.INVALID_RESPONSE, 1),
    *(
        (Fault(kind), FailureKind.NETWORK, 2)
        for kind in (
            "reset_before_headers",
            "reset_within_headers",
            "reset_after_headers",
            "cut_body",
        )
    ),
    *((Fault(kind), FailureKind.TIMEOUT, 2) for kind in ("hang", "hang_body", "slow", "trickle")),
]


def about(fault: Fault) -> str:
    said = fault.code or fault.inner or fault.body or fault.patch or fault.remove or fault.status or ""
    return f"{fault.kind}-{str(said)[:50]}"


@pytest.mark.parametrize(
    ("fault", "kind", "attempts"), AT_A_GATEWAY, ids=[about(each[0]) for each in AT_A_GATEWAY]
)
async def test_what_goes_wrong_at_a_gateway_costs_that_gateway_alone(
    monkeypatch: Patch, fault: Fault, kind: FailureKind, attempts: int
) -> None:
    fault.operation, fault.gateway = READ, VICTIM
    async with Emulator(fleet(gateway(1), gateway(2), faults=[fault])) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan=times(fault)))
    victim, other = found.gateways
    assert (victim.status, other.status) == (GatewayStatus.FAILED, GatewayStatus.SCANNED)
    assert [volume.gateway_arn for volume in found.volumes] == [victim.arn, other.arn]
    unread, read = (volume.verdict.status for volume in found.volumes)
    assert unread is VerdictStatus.UNKNOWN is not read
    (failure,) = found.failures
    assert (failure.kind, failure.operation, failure.gateway_arn) == (kind, READ, victim.arn)
    assert failure.attempts == attempts
    assert failure.message.isprintable()
    assert emulator.requests["storagegateway", READ, PROD, REGION] == attempts + 1
    assert found.scan.outcome is Outcome.PARTIAL


async def test_an_answer_that_comes_byte_by_byte_is_given_up_in_time(monkeypatch: Patch) -> None:
    """No pause in it is long enough for a timeout of its own: the whole call has one."""
    fault = Fault("trickle", operation=READ, gateway=VICTIM, seconds=3)
    async with Emulator(fleet(gateway(1), faults=[fault])) as emulator:
        settings = config(
            account(), scan={"regions": [REGION], "call_timeout": "500ms"}, retry={"max_attempts": 1}
        )
        began = asyncio.get_running_loop().time()
        found = await scan(emulator, monkeypatch, settings)
    assert [failure.kind for failure in found.failures] == [FailureKind.TIMEOUT]
    assert asyncio.get_running_loop().time() - began < 5


# What goes wrong with the listing; what becomes of the target.
AT_THE_LISTING: list[tuple[Fault, FailureKind, TargetStatus]] = [
    (Fault("throttle"), FailureKind.THROTTLED, TargetStatus.FAILED),
    (Fault("server_error"), FailureKind.SERVER_ERROR, TargetStatus.FAILED),
    (Fault("access_denied"), FailureKind.ACCESS_DENIED, TargetStatus.FAILED),
    *(
        (Fault(kind), FailureKind.INVALID_RESPONSE, TargetStatus.FAILED)
        for kind in ("html", "empty", "other_shape")
    ),
    *(
        (Fault(kind), FailureKind.NETWORK, TargetStatus.FAILED)
        for kind in ("reset_before_headers", "cut_body")
    ),
    (Fault("hang"), FailureKind.TIMEOUT, TargetStatus.FAILED),
    (Fault("mutate", patch={"Marker": 7}), FailureKind.INVALID_RESPONSE, TargetStatus.FAILED),
    (Fault("repeat_marker"), FailureKind.INVALID_RESPONSE, TargetStatus.PARTIAL),
    (Fault("endless_markers"), FailureKind.INVALID_RESPONSE, TargetStatus.PARTIAL),
    *(
        (Fault("mutate", **change), FailureKind.INVALID_RESPONSE, TargetStatus.PARTIAL)
        for change in (
            {"remove": ["Gateways.0.GatewayARN"]},
            {"patch": {"Gateways.0": "no record"}},
            {"patch": {"Gateways.0.GatewayARN": "sgw-1"}},
        )
    ),
    (Fault("foreign_account"), FailureKind.INVALID_RESPONSE, TargetStatus.PARTIAL),
    (Fault("foreign_region"), FailureKind.INVALID_RESPONSE, TargetStatus.PARTIAL),
]


@pytest.mark.parametrize(
    ("fault", "kind", "status"), AT_THE_LISTING, ids=[about(each[0]) for each in AT_THE_LISTING]
)
async def test_what_goes_wrong_with_a_listing_is_told_of_its_target(
    monkeypatch: Patch, fault: Fault, kind: FailureKind, status: TargetStatus
) -> None:
    fault.operation, fault.region = LIST, REGION
    made = fleet(gateway(1), gateway(2), gateway(3, "eu-west-1"), faults=[fault])
    async with Emulator(made) as emulator:
        found = await scan(
            emulator, monkeypatch, config(account(), scan={**times(fault), "regions": [REGION, "eu-west-1"]})
        )
    assert {failure.kind for failure in found.failures} == {kind}
    assert {failure.region for failure in found.failures} == {REGION}
    assert [target.status for target in found.targets] == [TargetStatus.COMPLETE, status]
    assert found.scan.outcome is Outcome.PARTIAL


HARMLESS: list[tuple[Fault, GatewayStatus, int]] = [
    (Fault("duplicate"), GatewayStatus.SCANNED, 1),
    (Fault("slow", seconds=0.01), GatewayStatus.SCANNED, 1),
    (Fault("empty_page", operation=LIST, times=2), GatewayStatus.SCANNED, 1),
    (Fault("mutate", remove=["Gateways.*.GatewayName", "Gateways.*.GatewayType"]), GatewayStatus.SCANNED, 1),
    (Fault("mutate", patch={"Later": [1]}), GatewayStatus.SCANNED, 1),
    *(
        (Fault("mutate", operation=LIST, patch={f"Gateways.0.{field}": value}), GatewayStatus.SCANNED, 1)
        for field in ("GatewayName", "GatewayOperationalState", "SoftwareVersion", "GatewayType")
        for value in (7, "half \ud800")
        if (field, value) != ("GatewayType", "half \ud800")
    ),
    (Fault("expired_token", operation=READ, times=1), GatewayStatus.SCANNED, 1),
    (Fault("vanished", operation=READ), GatewayStatus.VANISHED, 1),
    (Fault("inner", operation=READ, inner="NotSupported"), GatewayStatus.NOT_APPLICABLE, 1),
    (
        Fault("inner", operation=READ, inner="UnsupportedOperationForGatewayType"),
        GatewayStatus.NOT_APPLICABLE,
        1,
    ),
    *(
        (Fault(kind, operation=READ, nth=1), GatewayStatus.SCANNED, 1)
        for kind in ("throttle", "server_error", "html", "empty", "reset_before_headers", "cut_body", "hang")
    ),
]


@pytest.mark.parametrize(
    ("fault", "status", "volumes"),
    HARMLESS,
    ids=[about(each[0]) for each in HARMLESS],
)
async def test_what_is_no_failure_is_not_told_as_one(
    monkeypatch: Patch, fault: Fault, status: GatewayStatus, volumes: int
) -> None:
    async with Emulator(fleet(gateway(1), faults=[fault])) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan=times(fault)))
    assert not found.failures
    assert [each.status for each in found.gateways] == [status]
    assert len(found.volumes) == volumes
    assert emulator.faults.hits


def test_every_fault_that_the_emulator_knows_is_in_a_table() -> None:
    tables = [fault.kind for fault, *_ in (*AT_A_GATEWAY, *AT_THE_LISTING, *HARMLESS)]
    assert set(KINDS) == {*tables, "refuse"}


async def test_connections_that_are_refused_in_mid_scan_cost_what_was_not_read(monkeypatch: Patch) -> None:
    """No connection comes about any more, to whichever gateway."""
    fault = Fault("refuse", operation=READ)
    async with Emulator(fleet(gateway(1), gateway(2), faults=[fault])) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan=times()))
    assert FailureKind.NETWORK in {failure.kind for failure in found.failures}
    assert {failure.operation for failure in found.failures} == {READ}
    assert found.coverage.gateways.listed == 2


async def test_a_record_without_a_time_is_a_volume_without_a_point(monkeypatch: Patch) -> None:
    fault = Fault("mutate", operation=READ, remove=[f"{RECORD}.VolumeRecoveryPointTime"])
    async with Emulator(fleet(gateway(1), faults=[fault])) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan=times()))
    (volume,) = found.volumes
    assert (volume.recovery_point_time, volume.verdict.status) == (None, "no_recovery_point")


async def test_a_time_with_an_offset_is_kept_in_utc(monkeypatch: Patch) -> None:
    fault = mutate("2026-11-23T08:00:00.5+0200", "VolumeRecoveryPointTime")
    fault.operation = READ
    async with Emulator(fleet(gateway(1), faults=[fault])) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan=times()))
    (volume,) = json.loads(found.model_dump_json())["volumes"]
    assert volume["recovery_point_time"] == "2026-11-23T06:00:00.500Z"


async def test_retry_after_is_honoured(monkeypatch: Patch) -> None:
    fault = Fault("throttle", operation=READ, nth=1, retry_after="1")
    async with Emulator(fleet(gateway(1), faults=[fault])) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan=times()))
    assert found.scan.outcome is Outcome.COMPLETE
    assert (found.scan.finished_at - found.scan.started_at).total_seconds() >= 1


# Faults in the answers about credentials and accounts; what is told of the account.
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("html"), FailureKind.INVALID_RESPONSE),
        (Fault("empty"), FailureKind.INVALID_RESPONSE),
        (Fault("other_shape"), FailureKind.INVALID_RESPONSE),
        (Fault("other_shape", body="<AssumeRoleResponse/>"), FailureKind.INVALID_RESPONSE),
        (Fault("mutate", remove=["Credentials.SessionToken"]), FailureKind.INVALID_RESPONSE),
        (Fault("mutate", remove=["AssumedRoleUser"]), FailureKind.INVALID_RESPONSE),
        (Fault("mutate", patch={"AssumedRoleUser.Arn": "no ARN"}), FailureKind.INVALID_RESPONSE),
        (Fault("mutate", patch={"Credentials.Expiration": "never"}), FailureKind.INVALID_RESPONSE),
        (
            Fault("mutate", patch={"AssumedRoleUser.Arn": "arn:aws:sts::999999999999:assumed-role/a/b"}),
            FailureKind.WRONG_ACCOUNT,
        ),
        (Fault("throttle"), FailureKind.THROTTLED),
        (Fault("server_error"), FailureKind.SERVER_ERROR),
        (Fault("server_error", body="html"), FailureKind.SERVER_ERROR),
        (Fault("reset_before_headers"), FailureKind.NETWORK),
        (Fault("hang"), FailureKind.TIMEOUT),
        (Fault("not_enabled"), FailureKind.CREDENTIALS),
    ],
    ids=lambda value: about(value) if isinstance(value, Fault) else "",
)
async def test_what_goes_wrong_at_the_door_is_told_once_of_the_account(
    monkeypatch: Patch, fault: Fault, kind: FailureKind
) -> None:
    fault.service, fault.operation = "sts", "AssumeRole"
    async with Emulator(fleet(gateway(1), faults=[fault])) as emulator:
        found = await scan(emulator, monkeypatch, config(account(), scan=times(fault)))
    (failure,) = found.failures
    assert (failure.scope, failure.kind) == ("account", kind)
    assert found.coverage.targets.failed == 1
    assert calls(emulator, LIST) == 0


@pytest.mark.parametrize("kind", ["html", "empty", "other_shape"])
@pytest.mark.parametrize("service", ["account", "ec2", "organizations"])
async def test_nonsense_about_the_reach_of_a_fleet_is_an_invalid_response(
    monkeypatch: Patch, service: str, kind: str
) -> None:
    made = fleet(gateway(1), faults=[Fault(kind, service=service)])
    if service == "ec2":
        made.faults.append(Fault("access_denied", service="account"))
    settings = config(account(), scan={**times(), "regions": "enabled"})
    if service == "organizations":
        settings = config(organization={"role": "scan"}, scan=times())
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, settings)
    assert [failure.kind for failure in found.failures] == [FailureKind.INVALID_RESPONSE]


@pytest.mark.parametrize(
    ("service", "patch"),
    [
        ("account", {"Regions.0": 7}),
        ("account", {"NextToken": 7}),
        ("ec2", {"regionInfo.0": {}}),
        ("organizations", {"Organization": 7}),
        ("organizations", {"Roots.0": 7}),
        ("organizations", {"Roots.0.Id": 7}),
        ("organizations", {"Accounts.0": 7}),
        ("organizations", {"Accounts.0.Id": "one"}),
    ],
)
async def test_one_broken_record_about_the_reach_of_a_fleet_is_told(
    monkeypatch: Patch, service: str, patch: dict[str, Any]
) -> None:
    made = fleet(gateway(1))
    key = next(iter(patch)).partition(".")[0]
    operation = {"Roots": "ListRoots", "Accounts": "ListAccountsForParent"}.get(key, "Describe*")
    made.faults = [Fault("mutate", service=service, operation="*" if service == "account" else operation)]
    made.faults[0].patch = patch
    if service == "ec2":
        made.faults.append(Fault("access_denied", service="account"))
    settings = config(account(), scan={**times(), "regions": "enabled"})
    if service == "organizations":
        settings = config(organization={"role": "scan"}, scan=times())
    async with Emulator(made) as emulator:
        found = await scan(emulator, monkeypatch, settings)
    assert {failure.kind for failure in found.failures} == {FailureKind.INVALID_RESPONSE}


def change(key: str) -> Any:
    return {"GatewayNetworkInterfaces": "none", "Tags": [{"Value": "v"}], "Marker": 7}.get(key, 7)


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        ("DescribeGatewayInformation", "GatewayARN"),
        ("DescribeGatewayInformation", "GatewayTimezone"),
        ("DescribeGatewayInformation", "GatewayNetworkInterfaces"),
        ("DescribeGatewayInformation", "Tags"),
        ("ListVolumes", "VolumeInfos"),
        ("ListVolumes", "Marker"),
        ("ListVolumes", "VolumeInfos.0"),
        ("ListVolumes", "VolumeInfos.0.VolumeARN"),
        ("DescribeCachediSCSIVolumes", "CachediSCSIVolumes"),
        ("DescribeCachediSCSIVolumes", "CachediSCSIVolumes.0.VolumeStatus"),
        ("GetResources", "ResourceTagMappingList"),
        ("GetResources", "ResourceTagMappingList.0.ResourceARN"),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
async def test_a_detail_that_is_nonsense_leaves_the_gateway_scanned(
    monkeypatch: Patch, operation: str, key: str, whole: bool
) -> None:
    service = "tagging" if operation == "GetResources" else "storagegateway"
    fault = Fault("html" if whole else "mutate", service=service, operation=operation)
    fault.patch = {key: change(key)}
    made = fleet(gateway(1, tags={"tier": "1"}), faults=[fault])
    async with Emulator(made) as emulator:
        details = {"details": ["gateway", "volumes", "tags"]}
        found = await scan(emulator, monkeypatch, config(account(), scan={**times(), **details}))
    (failure,) = found.failures
    assert (failure.kind, failure.operation) == (FailureKind.INVALID_RESPONSE, operation)
    assert [each.status for each in found.gateways] == [GatewayStatus.SCANNED]
    assert found.targets[0].status is TargetStatus.PARTIAL
    assert len(found.volumes) == 1


@contextmanager
def listening(tls: bool) -> Iterator[int]:
    """A port on which somebody answers who is no AWS: with nonsense, and for TLS with nothing else."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize("trouble", ["dns", "refused", "tls", "no http"])
async def test_an_endpoint_that_cannot_be_talked_to_is_a_matter_of_the_network(
    monkeypatch: Patch, trouble: str
) -> None:
    """The message names the endpoint and what to look at, and the account's other services are unharmed."""
    with listening(trouble == "tls") as port:
        url = {
            "dns": "http://nowhere.invalid:80",
            "refused": f"http://127.0.0.1:{unused_port()}",
            "tls": f"https://127.0.0.1:{port}",
            "no http": f"http://127.0.0.1:{port}",
        }[trouble]
        async with Emulator(fleet(gateway(1))) as emulator:
            environment(emulator, monkeypatch)
            monkeypatch.setenv("AWS_ENDPOINT_URL_STORAGE_GATEWAY", url)
            async with Scanner(config(account())) as scanner:
                found = await scanner.scan()
    (failure,) = found.failures
    assert (failure.kind, failure.operation) == (FailureKind.NETWORK, LIST)
    assert "check the network, DNS, proxy and CA settings" in shown(failure)
    if trouble != "no http":
        assert url in shown(failure)
    assert found.targets[0].status is TargetStatus.FAILED


async def test_an_endpoint_that_is_no_url_is_told_with_the_remedy(monkeypatch: Patch) -> None:
    async with Emulator(fleet(gateway(1))) as emulator:
        environment(emulator, monkeypatch)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STORAGE_GATEWAY", "localhost:4566")
        async with Scanner(config(account())) as scanner:
            found = await scanner.scan()
    (failure,) = found.failures
    assert (failure.kind, failure.attempts) == (FailureKind.NETWORK, 0)
    assert "mend AWS_ENDPOINT_URL" in shown(failure)


UNREADABLE = ["[]", '"text"', "7", '{"__type": 7}', '{"message": {}}', '{"error": "busy"}', "<html>", "{"]


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
@pytest.mark.parametrize("body", UNREADABLE)
@pytest.mark.parametrize("service", ["storagegateway", "account", "sts"])
async def test_an_error_in_no_form_of_the_service_is_told_by_its_status(
    service: str, body: str, status: int
) -> None:
    """What a proxy says with an error status is never taken for a refusal, and never breaks the scan."""
    operation = {"storagegateway": LIST, "account": "ListRegions", "sts": "GetCallerIdentity"}[service]
    model = botocore.session.get_session().get_service_model(service)
    response = {"status_code": status, "headers": {}, "body": body.encode(), "context": {}}
    guard_of(model.resolved_protocol)(
        response_dict=response, customized_response_dict={}, operation_model=model.operation_model(operation)
    )
    parser = botocore.parsers.create_parser(model.resolved_protocol)
    shape = model.operation_model(operation).output_shape
    assert shape is not None
    try:
        parsed = parser.parse(response, shape)
    except ResponseParserError as error:
        failure = failed(error, operation)
    else:
        failure = failed(ClientError(parsed, operation), operation)
    assert failure.facts.kind is (FailureKind.SERVER_ERROR if status >= 500 else FailureKind.INVALID_RESPONSE)
    assert failure.facts.retryable
