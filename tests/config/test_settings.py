"""Every mistake in a configuration is an error that names its place and its remedy; nothing is guessed."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.errors import ConfigError
from scanner.policy.durations import format_duration, parse_duration
from tests.strategies import selected

RULE = '[[policy.rules]]\nname = "a"\nrpo = "1h"\n'
ACCOUNT = '[[accounts]]\nid = "111122223333"\n'


def load(tmp_path: Path, text: str, environ: dict[str, str] | None = None, **flags: object) -> ScannerConfig:
    file = tmp_path / "scanner.toml"
    file.write_text(text)
    return ScannerConfig.load(
        file, environ=environ or {}, flags={key.replace("__", "."): value for key, value in flags.items()}
    )


def complaint(tmp_path: Path, text: str, environ: dict[str, str] | None = None, **flags: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, environ, **flags)
    return str(caught.value)


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = ScannerConfig.load(environ={})
    assert config == ScannerConfig()
    assert config.scan.regions == "enabled"
    assert config.scan.max_concurrency == 64
    assert config.retry.max_attempts == 8


def test_the_file_is_found_in_the_folder_or_by_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scanner.toml").write_text("[scan]\nmax_concurrency = 3\n")
    (tmp_path / "other.toml").write_text("[scan]\nmax_concurrency = 4\n")
    assert ScannerConfig.load(environ={}).scan.max_concurrency == 3
    assert ScannerConfig.load(environ={"SGW_SCANNER_CONFIG": "other.toml"}).scan.max_concurrency == 4


def test_a_folder_that_may_not_be_entered_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there is a configuration nobody can know; one that is named is read all the same."""

    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(
        ConfigError, match=r"scanner\.toml: cannot be looked for: Permission denied; .* with -c"
    ):
        ScannerConfig.load(environ={})
    with pytest.raises(ConfigError, match="no such file"):
        ScannerConfig.load("missing.toml", environ={})


def test_variables_override_the_file_and_flags_override_both(tmp_path: Path) -> None:
    text = '[scan]\nmax_concurrency = 1\ndeadline = "1m"\n'
    environ = {
        "SGW_SCANNER_SCAN__MAX_CONCURRENCY": "16",
        "SGW_SCANNER_SCAN__DEADLINE": "2m",
        "SGW_SCANNER_SCAN__REGIONS": "us-east-1, eu-west-1",
        "SGW_SCANNER_SCAN__DETAILS": '["tags"]',
    }
    config = load(tmp_path, text, environ, scan__deadline="3m")
    assert config.scan.max_concurrency == 16
    assert config.scan.deadline == timedelta(minutes=3)
    assert config.scan.regions == ("us-east-1", "eu-west-1")
    assert config.scan.details == ("tags",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("scan = [", "scanner.toml: is not TOML"),
        ("[scan]\nmax_concurency = 3", "scan.max_concurency: unknown key; did you mean max_concurrency?"),
        ("[scn]\nx = 3", "scn: unknown key; did you mean scan?"),
        ("[scan]\nxyzzy = 3", "scan.xyzzy: unknown key; known here: regions"),
        ("[scan]\nmax_concurrency = 0", "scan.max_concurrency: 0: input should be greater"),
        ("[scan]\nmax_concurrency = -1", "scan.max_concurrency: -1"),
        ("[scan]\nmax_concurrency = true", "scan.max_concurrency: True"),
        ('[scan]\ndeadline = "soon"', "scan.deadline: 'soon' is no duration; write it like"),
        ("[scan]\ndeadline = 30", 'write it with its unit, like "30s"'),
        ('[scan]\ndeadline = "0s"', "no time at all"),
        ('[scan]\nregions = "all"', "scan.regions: 'all'"),
        ('[scan]\nregions = ["US East"]', "scan.regions[1]"),
        ("[scan]\nregions = []", "scan.regions"),
        ('[scan]\ndetails = ["colour"]', 'choose from "gateway", "volumes", "tags"'),
        ('[[accounts]]\nid = "1234"', "accounts[1].id: '1234'"),
        ('[[accounts]]\nname = "x"', "accounts[1].id: is missing"),
        (ACCOUNT + 'role = "r"\nprofile = "p"', "role and profile clash"),
        (ACCOUNT + 'role = "arn:aws:iam::999988887777:role/r"', "role is of account 999988887777"),
        (ACCOUNT + 'role = "no good"', "neither a role name nor a role ARN"),
        (ACCOUNT + 'external_id = "abc"', "external_id needs a role"),
        (ACCOUNT + 'role = "r"\nvia = "hub"', "no role ARN"),
        (ACCOUNT + ACCOUNT, "account 111122223333 stands twice"),
        ('[retry]\nbase_delay = "30s"', "base_delay is longer than max_delay"),
        (
            '[[policy.rules]]\nname = "a"\nrpo = "1h"\nmatch = { tags = { a = "b" } }',
            'add "tags" to scan.details',
        ),
        (RULE + 'match = { accounts = "prod" }', "should be a valid tuple; write a list of globs, such as"),
        (RULE + 'match = "prod"', "write conditions, such as match = {"),
        ("[policy.rules]\nrpo = 3", "write each rule as a table of its own, under [[policy.rules]]"),
        (ACCOUNT + "name = 5", "accounts[1].name: 5: input should be a valid string"),
        ("accounts = 3", "write each account as a table of its own, under [[accounts]]"),
        ('[accounts]\nid = "111122223333"', "write each account as a table of its own, under [[accounts]]"),
        ("scan = 1", "scan: 1: is no table; write it as [scan], with its keys below"),
        ('[scan]\nregions = ["US-EAST-1"]', "scan.regions[1]: 'US-EAST-1': is not of the right form; write"),
        (ACCOUNT + 'profile = ""', "accounts[1].profile: ''"),
        ('[organization]\nrole = "arn:aws:iam::111122223333:role/r"', "write the role's name, such as"),
        ('[organization]\nrole = "r"\ninclude_ous = ["Prod"]', "write ids of units or roots, such as"),
        ('[policy]\nwarn_at = "x"', "write a fraction of the RPO, such as 0.8"),
        (
            '[[policy.waivers]]\nuntil = 2099-01-01\nreason = "x"\nmatch = { tags = { a = "b" } }',
            'policy.waivers[1] matches tags; add "tags" to scan.details',
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_remedy(tmp_path: Path, text: str, expected: str) -> None:
    message = complaint(tmp_path, text)
    assert expected in message
    assert len(message.splitlines()) == 1
    assert "scanner.toml" in message


def test_no_remedy_is_that_of_another_setting_of_the_same_name(tmp_path: Path) -> None:
    assert "[[accounts]]" not in complaint(tmp_path, RULE + 'match = { accounts = "prod" }')
    assert "[[accounts]]" not in complaint(tmp_path, ACCOUNT + "name = 5")
    assert "enabled" not in complaint(tmp_path, RULE + "match = { regions = 3 }")


def test_a_variable_is_read_as_the_type_of_its_setting(tmp_path: Path) -> None:
    environ = {
        "SGW_SCANNER_SCAN__REGIONS": "enabled",
        "SGW_SCANNER_SCAN__EXCLUDE_REGIONS": "us-east-1,us-west-2",
        "SGW_SCANNER_POLICY__WARN_AT": "0.5",
        "SGW_SCANNER_CREDENTIALS__PROFILE": "123",
        "SGW_SCANNER_ORGANIZATION__ROLE": "r",
        "SGW_SCANNER_ORGANIZATION__INCLUDE_MANAGEMENT_ACCOUNT": "false",
        "SGW_SCANNER_ORGANIZATION__EXCLUDE_ACCOUNTS": "111122223333",
    }
    config = load(tmp_path, "", environ)
    assert config.scan.regions == "enabled"
    assert config.scan.exclude_regions == ("us-east-1", "us-west-2")
    assert config.policy.warn_at == 0.5
    assert config.credentials.profile == "123"
    assert config.organization
    assert config.organization.include_management_account is False
    assert config.organization.exclude_accounts == ("111122223333",)


def test_a_mistake_in_a_variable_or_flag_is_named_as_such(tmp_path: Path) -> None:
    assert complaint(tmp_path, "", {"SGW_SCANNER_SCAN__MAX_CONCURRENCY": "many"}).startswith(
        "$SGW_SCANNER_SCAN__MAX_CONCURRENCY: scan.max_concurrency: 'many'"
    )
    assert complaint(tmp_path, "", scan__deadline="soon").startswith("--deadline: scan.deadline")
    assert "$SGW_SCANNER_SCAN__REGIONS" in complaint(tmp_path, "", {"SGW_SCANNER_SCAN__REGIONS": "[oops"})
    assert "not a table" in complaint(tmp_path, "scan = 3", {"SGW_SCANNER_SCAN__DEADLINE": "3s"})
    assert complaint(tmp_path, ACCOUNT, {"SGW_SCANNER_ACCOUNTS__0__ROLE": "x"}).startswith(
        "$SGW_SCANNER_ACCOUNTS__0__ROLE: a list has no keys of its own"
    )


def test_an_external_id_is_never_printed(tmp_path: Path) -> None:
    assert "p@ss word!" not in complaint(tmp_path, ACCOUNT + 'role = "r"\nexternal_id = "p@ss word!"')
    config = load(tmp_path, ACCOUNT + 'role = "r"\nexternal_id = "hush-hush"')
    assert "hush-hush" not in repr(config)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        ScannerConfig.load(tmp_path / "none.toml", environ={})
    with pytest.raises(ConfigError, match="cannot be read"):
        ScannerConfig.load(tmp_path, environ={})
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        ScannerConfig.load(tmp_path / "latin.toml", environ={})


def test_a_role_name_becomes_an_arn_in_the_partition_of_the_account() -> None:
    account = AccountSettings(id="111122223333", role="audit")
    assert account.role_arn_in("aws-cn") == "arn:aws-cn:iam::111122223333:role/audit"
    assert account.named_partition is None
    assert AccountSettings(id="111122223333").role_arn_in("aws") is None
    hub = "arn:aws-us-gov:iam::999988887777:role/hub"
    assert AccountSettings(id="111122223333", role="audit", via=hub).named_partition == "aws-us-gov"


@given(st.integers(1, 10**12))
def test_a_duration_written_is_the_duration_read(milliseconds: int) -> None:
    length = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(length)) == length


def test_a_duration_needs_to_be_one() -> None:
    assert parse_duration("1h30m") == timedelta(minutes=90)
    for text in ("", "5", "h", "1w", "-1s", "9" * 30 + "d"):
        with pytest.raises(ValueError):
            parse_duration(text)
    with pytest.raises(ValueError):
        AccountSettings(id="111122223333", rpo=timedelta(0))


def test_account_and_region_narrow_the_plan(tmp_path: Path) -> None:
    text = '[scan]\nregions = ["us-east-1", "eu-west-1"]\n' + ACCOUNT
    text += '[[accounts]]\nid = "444455556666"\nregions = ["us-west-2"]\n'
    config = load(tmp_path, text)
    one = selected(config, ["111122223333"], ["eu-west-1"])
    assert [account.id for account in one.accounts] == ["111122223333"]
    assert one.scan.regions == ("eu-west-1",)
    assert [account.id for account in selected(config, (), ["us-west-2"]).accounts] == ["444455556666"]
    with pytest.raises(ConfigError, match="not in the configuration"):
        selected(config, ["999999999999"])
    for wanted in (["ap-south-1"], ["us-east-1", "ap-south-1"]):
        with pytest.raises(ConfigError, match="no account with the Region ap-south-1; add"):
            selected(config, (), wanted)
    with pytest.raises(ConfigError, match="12 digits"):
        selected(config, ["１１１１２２２２３３３３"])


def test_without_a_configuration_account_and_region_make_the_plan() -> None:
    made = selected(ScannerConfig(), ["111122223333"], ["us-east-1"])
    assert [account.id for account in made.accounts] == ["111122223333"]
    assert made.scan.regions == ("us-east-1",)
    assert selected(ScannerConfig(), (), ["us-east-1"]).accounts == ()
    with pytest.raises(ConfigError, match="12 digits"):
        selected(ScannerConfig(), ["12"])
    with pytest.raises(ConfigError, match="no Region name"):
        selected(ScannerConfig(), (), ["here"])


def test_an_organization_is_narrowed_once_it_is_known() -> None:
    config = ScannerConfig.model_validate({"organization": {"role": "audit"}})
    narrowed = selected(config, ["111122223333"])
    assert narrowed.selection.accounts == ("111122223333",)
    assert "selection" not in str(ScannerConfig.model_json_schema())


def test_an_account_without_the_wanted_regions_is_not_found_again_in_its_organization() -> None:
    own = {"id": "111122223333", "regions": ["eu-west-1"], "role": "other"}
    config = ScannerConfig.model_validate(
        {"organization": {"role": "audit"}, "accounts": [own], "scan": {"regions": ["us-east-1"]}}
    )
    narrowed = selected(config, (), ["us-east-1"])
    assert not narrowed.accounts
    assert narrowed.selection.left_out == {"111122223333"}


def test_an_empty_profile_is_none() -> None:
    """As with AWS_PROFILE; a template may well leave it empty."""
    assert ScannerConfig.load(environ={"SGW_SCANNER_CREDENTIALS__PROFILE": ""}).credentials.profile is None


def test_an_encryption_that_takes_no_key_clashes_with_one() -> None:
    with pytest.raises(ValidationError, match="use aws:kms"):
        ScannerConfig.model_validate({"output": {"encryption": "AES256", "kms_key": "alias/storage"}})


@pytest.mark.parametrize(
    "values",
    [
        {"accounts": [{"id": "111122223333", "external_id": "hush-hush", "unknown": 1}]},
        {"accounts": [{"external_id": "hush-hush"}]},
        {"accounts": [{"id": "1", "role": "x", "external_id": "hush-hush"}]},
        {"accounts": [{"id": "111122223333", "role": "x", "external_id": "hush-hush " * 200}]},
        {"accounts": {"external_id": "hush-hush"}},
        {"organization": {"external_id": "hush-hush"}},
        {"notify": {"urls": ["file://hush-hush"], "on": ["x"]}},
        {"notify": {"secret": ["hush-hush"]}},
    ],
)
def test_no_error_repeats_a_secret_however_it_is_asked(values: dict[str, Any]) -> None:
    """Nor do the errors behind it, which a service may log."""
    ways: list[Callable[[dict[str, Any]], ScannerConfig]] = [
        ScannerConfig.model_validate,
        lambda given: ScannerConfig(**given),
    ]
    for make in ways:
        with pytest.raises(ValidationError) as raised:
            make(values)
        error: BaseException | None = raised.value
        assert "hush-hush" not in repr(raised.value.errors())
        while error:
            assert "hush-hush" not in f"{error!s} {error!r}"
            error = error.__cause__ or error.__context__


def test_a_variable_of_a_section_that_there_is_not_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^\$SGW_SCANNER_NOPE__X: nope: unknown key"):
        ScannerConfig.load(environ={"SGW_SCANNER_NOPE__X": "1"})
