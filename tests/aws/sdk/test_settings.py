"""A mistake in the SDK's own settings is told before the scan, by the file or variable that holds it."""

from pathlib import Path

import pytest

from scanner import Scanner, ScannerConfig
from scanner.errors import ConfigError

KEYS = "aws_access_key_id = test\naws_secret_access_key = test\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    return tmp_path


async def refusal(profile: str | None = "p") -> str:
    settings = ScannerConfig.model_validate({"credentials": {"profile": profile} if profile else {}})
    with pytest.raises(ConfigError) as refused:
        await Scanner(settings).__aenter__()
    return str(refused.value)


@pytest.mark.parametrize(
    ("line", "value", "remedy"),
    [
        ("region = us-east-1 # home", "us-east-1 # home", "without quotes or comment"),
        ('region = "us-east-1"', '"us-east-1"', "without quotes or comment"),
        ("metadata_service_timeout = 1s", "1s", "a whole number"),
        ("metadata_service_num_attempts = none", "none", "a whole number"),
        ("retry_mode = exponential", "exponential", "legacy, standard, adaptive"),
        ("request_checksum_calculation = never", "never", "when_supported, when_required"),
        ("ca_bundle = /nonexistent.pem", "/nonexistent.pem", "a file of certificates"),
    ],
)
async def test_a_wrong_setting_of_a_profile_is_named_with_what_would_be_right(
    home: Path, line: str, value: str, remedy: str
) -> None:
    (home / "config").write_text(f"[profile p]\n{KEYS}{line}\n")
    told = await refusal()
    assert f"~/.aws/config: {value!r}" in told
    assert f"mend the {line.split(' ')[0]} of the profile 'p'" in told
    assert remedy in told


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_DEFAULT_REGION", "us-east-1 # home"),
        ("AWS_REGION", "'us-east-1'"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "1s"),
        ("AWS_RETRY_MODE", "exponential"),
        ("AWS_RESPONSE_CHECKSUM_VALIDATION", "never"),
        ("AWS_CA_BUNDLE", "/nonexistent.pem"),
    ],
)
async def test_a_wrong_variable_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert (await refusal(None)).startswith(f"{variable}: {value!r}: ")


async def test_a_bundle_that_holds_no_certificates_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "bundle").write_text("no certificates")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(home / "bundle"))
    assert "it holds no certificates" in await refusal(None)


@pytest.mark.parametrize(
    "variable",
    [
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CA_BUNDLE",
        "AWS_RETRY_MODE",
    ],
)
async def test_an_empty_variable_is_as_good_as_none(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "")
    async with Scanner():
        pass


async def test_aws_region_is_read_where_aws_default_region_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-gov-west-1")
    async with Scanner() as scanner:
        assert scanner._service
        assert scanner._service._regions.default == "us-gov-west-1"
