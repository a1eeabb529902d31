"""Each output on its own: what fails costs only itself, and buckets are asked before the scan."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import boto3
import pytest
from moto.server import ThreadedMotoServer

from scanner.aws.s3 import S3Bucket
from scanner.config.settings import ScannerConfig
from scanner.emulator import Emulator, Fault
from scanner.inventory.model import Inventory
from scanner.inventory.records import Record
from scanner.output import NdjsonWriter, object_arguments, parse_output, upload
from scanner.output.s3_upload import PART_SIZE
from tests.aws.buckets import Bucket, serving
from tests.cli.conftest import CONFIG, TWO, Command, inventory

KMS = "arn:aws:kms:us-east-1:111122223333:key/1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A bucket that the command line reaches as `s3://reports`, beside the emulator."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    made = boto3.resource("s3").Bucket("reports")
    made.create()
    yield made
    made.objects.all().delete()


def test_objects_in_a_bucket_are_what_files_would_be(command: Command, bucket: object) -> None:
    places = ("s3://reports/daily/i.json", "s3://reports/daily/i.ndjson", "s3://reports/i.csv")
    said = command("scan", *(word for place in places for word in ("-o", place)), "-o", "-")
    assert said.code == 0, said.err
    assert f"\nWritten: {', '.join((*places, '-'))}\n" in said.err
    objects = {each.key: each.get() for each in bucket.objects.all()}  # type: ignore[attr-defined]
    assert set(objects) == {"daily/i.json", "daily/i.ndjson", "i.csv"}
    whole = Inventory.model_validate_json(objects["daily/i.json"]["Body"].read())
    assert whole == Inventory.model_validate_json(said.out)
    assert objects["i.csv"]["ContentType"] == "text/csv; charset=utf-8"


def test_objects_are_encrypted_as_the_configuration_asks(
    command: Command, bucket: object, place: Path
) -> None:
    asked = f'[output]\nfiles = ["s3://reports/i.json"]\nkms_key = "{KMS}"\n'
    (place / "scanner.toml").write_text(asked + CONFIG)
    assert command("scan").code == 0
    written = bucket.Object("i.json").get()  # type: ignore[attr-defined]
    assert (written["ServerSideEncryption"], written["SSEKMSKeyId"]) == ("aws:kms", KMS)


def test_a_bucket_that_does_not_exist_is_found_out_before_the_scan(
    command: Command, bucket: object, sgw_emulator: Emulator
) -> None:
    said = command("scan", "-o", "s3://not-there/i.json", "-o", "i.json")
    assert said.code == 2
    assert "s3://not-there/i.json" in said.err
    assert "create the bucket, or mend its name" in said.err
    assert not sgw_emulator.requests


def test_a_bucket_without_credentials_is_found_out_before_the_scan(
    command: Command, bucket: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    said = command("scan", "-o", "s3://reports/i.json")
    assert said.code == 2
    assert "no credentials were found" in said.err


@pytest.fixture
def odd(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A server of buckets that misbehaves as told."""
    monkeypatch.setattr("scanner.aws.base_client.PAUSE", 0)
    with serving() as bucket:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
        yield bucket


def test_an_upload_that_is_proved_is_the_one_that_is_sent(command: Command, odd: Bucket) -> None:
    """Even where a bucket takes back nothing, no scan leaves an upload behind."""
    odd.misbehave["abort"] = lambda made: 405
    assert command("scan", "-o", "s3://here/i.json", "-o", "s3://here/i.ndjson").code == 0
    assert set(odd.objects) == {"/here/i.json", "/here/i.ndjson"}
    assert not odd.begun


def test_a_check_of_the_targets_leaves_no_upload_behind(command: Command, place: Path, odd: Bucket) -> None:
    (place / "scanner.toml").write_text('[output]\nfiles = ["s3://here/i.json"]\n' + CONFIG)
    assert command("check").code == 0
    assert odd.asked == ["create", "abort"]
    assert not odd.begun


def test_a_bucket_that_refuses_leaves_no_upload_to_another(
    command: Command, odd: Bucket, sgw_emulator: Emulator
) -> None:
    odd.misbehave["create"] = lambda made: 403 if made else 200
    said = command("scan", "-o", "s3://here/i.json", "-o", "s3://here/i.ndjson")
    assert said.code == 2
    assert "s3://here/i.ndjson" in said.err
    assert not odd.begun
    assert not sgw_emulator.requests


def test_a_bucket_that_never_answers_costs_itself_only(
    command: Command, place: Path, odd: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files on this machine are written before, and the scan ends, without a deadline too."""
    monkeypatch.setattr("scanner.aws.base_client.ATTEMPTS", 1)
    monkeypatch.setattr("scanner.output.s3_upload.ABORT_SECONDS", 0.1)
    monkeypatch.setenv("SGW_SCANNER_SCAN__CALL_TIMEOUT", "1s")
    odd.misbehave["part"] = odd.misbehave["abort"] = lambda made: "silent"
    said = command("scan", "-o", "s3://here/i.json", "-o", "i.json", "-o", "s3://here/i.ndjson")
    assert said.code == 3
    assert said.err.count("took longer than 1 s") == 2
    assert "\nWritten: i.json\nNot written: s3://here/i.json, s3://here/i.ndjson\n" in said.out
    assert inventory(place / "i.json")["scan"]["outcome"] == "complete"


NO_FOLDER = "there is no temporary folder: No usable temporary directory"


@pytest.mark.parametrize("name", ["i.json", "i.ndjson"])
def test_no_temporary_folder_is_found_out_before_the_scan(
    command: Command, odd: Bucket, sgw_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As on a read-only container; files on this machine need none."""

    def missing() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", missing)
    monkeypatch.setattr("scanner.output.spool.gettempdir", missing)
    said = command("scan", "-o", f"s3://here/{name}", "-o", "i.json")
    assert said.code == 2
    assert f"s3://here/{name}: {NO_FOLDER}" in said.err
    assert "set TMPDIR" in said.err
    assert not sgw_emulator.requests
    assert command("scan", "-o", "i.json").code == 0


@pytest.mark.parametrize("name", ["i.json", "i.ndjson", "i.csv"])
def test_a_temporary_folder_that_fills_up_costs_one_output_and_exits_3(
    command: Command, place: Path, odd: Bucket, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Nothing of what was cut off is sent, and every other output is written."""

    class Full(BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("scanner.output.spool.TemporaryFile", Full)
    said = command("scan", "-o", f"s3://here/{name}", "-o", "k.json", "-o", "k.ndjson")
    assert said.code == 3
    assert said.err.count("No space left on device; set TMPDIR") == 1
    assert inventory(place / "k.json")["scan"]["outcome"] == "complete"
    assert (place / "k.ndjson").exists()
    assert not odd.objects
    assert not odd.begun


def test_a_profile_that_does_not_exist_is_a_mistake(command: Command, bucket: object, place: Path) -> None:
    (place / "scanner.toml").write_text('[credentials]\nprofile = "nobody"\n[lock]\npath = ""\n')
    said = command("scan", "-o", "s3://reports/i.json")
    assert said.code == 2
    assert "nobody" in said.err


async def test_a_large_object_goes_in_parts(bucket: object) -> None:
    output = parse_output("s3://reports/large.json")
    async with S3Bucket.all_of([output], ScannerConfig()) as buckets:
        content = b"x" * (PART_SIZE + 1)
        await upload(buckets["reports"], "large.json", BytesIO(content), object_arguments(output))
        assert bucket.Object("large.json").content_length == len(content)  # type: ignore[attr-defined]


def test_lines_tell_what_the_inventory_holds(command: Command, place: Path) -> None:
    command("scan", "-o", "i.json", "-o", "i.ndjson")
    whole = inventory(place / "i.json")
    lines = [json.loads(line) for line in (place / "i.ndjson").read_text().splitlines()]
    told = {(line.pop("record"), json.dumps(line, sort_keys=True)) for line in lines}
    held = {(name, json.dumps(whole[name], sort_keys=True)) for name in ("scan", "coverage")}
    for name in ("target", "gateway", "volume", "failure"):
        held |= {(name, json.dumps(each, sort_keys=True)) for each in whole[f"{name}s"]}
    assert told == held


class FullDisk(NdjsonWriter):
    """Has room for one line."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._lines = 0

    def write(self, record: Record) -> None:
        self._lines += 1
        if self._lines > 1:
            raise OSError(28, "No space left on device")
        super().write(record)


def test_a_disk_that_fills_up_costs_one_output_and_exits_3(
    command: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.output.outputs.NdjsonWriter", FullDisk)
    (place / "i.ndjson").write_text("yesterday's")
    said = command("scan", "-o", "i.ndjson", "-o", "i.json", "-o", "i.csv")
    assert said.code == 3
    assert said.err.count("i.ndjson: No space left on device") == 1
    assert "\nWritten: i.json, i.csv\nNot written: i.ndjson\n" in said.out
    assert (place / "i.ndjson").read_text() == "yesterday's"
    assert inventory(place / "i.json")["scan"]["outcome"] == "complete"
    assert (place / "i.csv").exists()
    assert not list(place.glob(".*.tmp"))


def test_outputs_of_the_configuration_are_written_unless_others_are_named(
    command: Command, place: Path
) -> None:
    config = (place / "scanner.toml").read_text()
    (place / "scanner.toml").write_text('[output]\nfiles = ["a.json"]\n' + config)
    command("scan")
    assert (place / "a.json").exists()
    (place / "a.json").unlink()
    command("scan", "-o", "b.json")
    assert (place / "b.json").exists()
    assert not (place / "a.json").exists()


def test_a_place_in_the_configuration_that_is_none_is_a_mistake_whatever_else_is_named(
    command: Command, place: Path, sgw_emulator: Emulator
) -> None:
    """Rather than in the night when nobody names another."""
    config = (place / "scanner.toml").read_text()
    (place / "scanner.toml").write_text('[output]\nfiles = ["a.xlsx"]\n' + config)
    said = command("scan", "-o", "b.json")
    assert said.code == 2
    assert "scanner.toml: output.files: a.xlsx: .xlsx cannot be written" in said.err
    assert not sgw_emulator.requests


def test_an_incomplete_scan_is_written_like_any_other(
    command: Command, place: Path, sgw_emulator: Emulator
) -> None:
    sgw_emulator.faults.add(Fault("access_denied", account=TWO, operation="ListGateways"))
    assert command("scan", "-o", "i.ndjson").code == 3
    kinds = [json.loads(line)["record"] for line in (place / "i.ndjson").read_text().splitlines()]
    assert kinds.count("failure") == 2
