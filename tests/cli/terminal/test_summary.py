"""What a person sees at the end of a scan."""

import io
import re
from datetime import date, timedelta

import pytest

from scanner.cli.terminal.explaining import print_explanation
from scanner.cli.terminal.failures import LONGEST_MESSAGE
from scanner.cli.terminal.summary import print_summary
from scanner.config.settings import ScannerConfig
from scanner.inventory.model import Inventory
from scanner.inventory.records import FailureKind, TargetStatus, Verdict, VerdictStatus
from scanner.policy.rules import Match, Policy, Waiver
from scanner.summary.replay import statistics_of as replayed
from scanner.summary.statistics import exit_code
from tests.cli.events import statistics_of
from tests.output.fleet import HOSTILE, hostile, inventory, verdict
from tests.output.html import fleets
from tests.strategies import NOW, failure_of

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(whole: Inventory, policy: Policy | None = None, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    print_summary(statistics_of(whole), policy or Policy(), stream)
    return stream.getvalue()


def test_the_end_is_the_answer() -> None:
    """What needs action, what was not read, what is known; then the files, and the exit code in words."""
    stream = io.StringIO()
    whole = inventory(whole=False)
    print_summary(statistics_of(whole), Policy(), stream, ("i.json", "r.html"), 1)
    lines = stream.getvalue().splitlines()
    assert lines[-5:] == [
        f"{whole.coverage.volumes.need_action} volumes need action. A waiver excuses 4 more.",
        "1 target and 1 gateway were not read: volumes there may need action, too.",
        f"{len(whole.volumes)} volumes are known.",
        "Written: i.json, r.html",
        "Exit code 1: some volume needs action: it is in breach of its RPO or has no recovery point.",
    ]
    targets = next(line for line in lines if line.startswith("targets"))
    assert targets.split() == ["targets", "3", "1", "complete,", "1", "partial,", "1", "failed"]


def test_whatever_ended_a_scan_early_is_told() -> None:
    whole = inventory()
    late = whole.model_copy(update={"scan": whole.scan.model_copy(update={"deadline_reached": True})})
    told = whole.model_copy(update={"scan": whole.scan.model_copy(update={"interrupted": True})})
    assert "\nScan complete, ended by the deadline" in printed(late)
    assert "\nScan complete, ended by a signal" in printed(told)
    assert exit_code(statistics_of(late)) == 1


def test_verdicts_stand_worst_first_and_waivers_are_counted() -> None:
    said = next(line for line in printed(inventory()).splitlines() if line.startswith("volumes"))
    order = ["no recovery point", "breach", "unknown", "at risk", "unrated", "ok"]
    assert [said.index(status) for status in order] == sorted(said.index(status) for status in order)
    one = inventory(1, 1)
    waived = tuple(
        each.model_copy(update={"verdict": verdict(VerdictStatus.BREACH, 4)}) for each in one.volumes
    )
    excused = one.model_copy(update={"volumes": waived})
    assert "breach (waived)" in printed(excused)
    assert exit_code(statistics_of(excused)) == 0


def test_a_point_in_the_future_is_not_called_old(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither by the summary nor by explain."""
    one = inventory(1, 1)
    ahead = verdict(VerdictStatus.UNKNOWN).model_copy(update={"age_seconds": -7200.0})
    changes = {"verdict": ahead, "recovery_point_time": NOW + timedelta(hours=2)}
    future = one.model_copy(update={"volumes": tuple(v.model_copy(update=changes) for v in one.volumes)})
    assert "The oldest recovery point, 2h in the future, is of 2026-11-24 05:00 UTC: vol-" in printed(future)
    print_explanation(future.volumes[0].id, future, ScannerConfig())
    assert "recovery point  2026-11-24 05:00:00 UTC, 2h in the future\n" in capsys.readouterr().out


def test_what_nobody_could_ask_for_is_not_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    """A volume of a failed gateway may well have a recovery point, and an RPO."""
    one = inventory(1, 1)
    changes = {"verdict": Verdict(status=VerdictStatus.UNKNOWN), "recovery_point_time": None}
    unread = one.model_copy(update={"volumes": tuple(v.model_copy(update=changes) for v in one.volumes)})
    row = next(line for line in printed(unread).splitlines() if line.startswith(unread.volumes[0].id))
    assert row.count("not known") == 2
    print_explanation(unread.volumes[0].id, unread, ScannerConfig())
    assert "recovery point  not known\n" in capsys.readouterr().out


def test_detached_volumes_are_named_beside_any_number_of_worse_ones() -> None:
    """Nobody could be asked about them, and no exit code says so."""
    whole, stream = fleets.with_detached(fleets.gateways_of([fleets.OK]), 12), io.StringIO()
    print_summary(replayed(whole), Policy(), stream)
    (line,) = [
        line for line in stream.getvalue().splitlines() if "detached, so no gateway could be asked" in line
    ]
    assert line.startswith("12 volumes are detached")
    assert line.endswith("and 2 more.")
    named = [volume for volume in whole.volumes if volume.gateway_arn is None and volume.id in line]
    assert len(named) == 10


def test_what_is_not_known_is_told_where_no_failure_says_so() -> None:
    """A gateway that was deleted meanwhile, or has no recovery points to give, is no failure."""
    held, free = fleets.with_detached(fleets.gateways_of([fleets.OK]), 1).volumes
    whole = fleets.with_detached(fleets.gateways_of([fleets.OK]), 1)
    lost = free.model_copy(update={"attachment_status": "ATTACHED"})
    said = "Of 1 volume nobody could say how old the recovery point is."
    for volume, told in ((lost, True), (free, False)):
        stream = io.StringIO()
        print_summary(replayed(whole.model_copy(update={"volumes": (held, volume)})), Policy(), stream)
        assert (said in stream.getvalue()) is told


def test_what_failed_is_grouped_with_what_to_do() -> None:
    said = printed(inventory(whole=False))
    where = "gateway 999 (sgw-000003E7) in prod (000000000001), eu-west-1"
    assert f"{where}: gateway unreachable at ListVolumeRecoveryPoints\n  as injected\n" in said
    assert "prod (000000000001), ap-south-1: access denied at ListGateways\n" in said
    assert "→ Add to the policy of the role that scans:" in said


def test_what_is_the_same_in_many_accounts_is_told_once() -> None:
    """As a base identity without credentials: forty times the same advice would hide everything else."""
    targets = [fleets.target(f"{n:012d}", "us-east-1", TargetStatus.FAILED) for n in range(1, 41)]
    failures = [failure_of(each, FailureKind.CREDENTIALS) for each in targets]
    said = printed(fleets.without_volumes(targets, failures))
    assert said.count("as injected") == said.count("→") == 1
    assert "40 accounts: no valid credentials" in said
    assert "... and 37 more" in said


def test_nothing_is_said_of_what_is_not_there() -> None:
    said = printed(Inventory.model_validate(inventory().model_dump() | _EMPTY))
    assert "volumes to look at" not in said
    assert "What could not be read" not in said
    assert "oldest" not in said


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_hostile_text_moves_and_colours_nothing(text: str, stream: type[io.StringIO]) -> None:
    """Neither by control sequences nor by the markup of the library that prints."""
    said = COLOUR.sub("", printed(hostile(text), stream=stream()))
    assert all(char.isprintable() or char == "\n" for char in said)


def test_markup_of_the_printing_library_is_plain_text() -> None:
    assert "[bold]x[/bold] :boom:" in printed(hostile("[bold]x[/bold] :boom:"))


def test_a_message_without_end_is_cut() -> None:
    whole = inventory(whole=False)
    failure = whole.failures[0].model_copy(update={"message": "y" * 5000, "kind": FailureKind.TIMEOUT})
    assert printed(whole.model_copy(update={"failures": (failure,)})).count("y" * 50) < LONGEST_MESSAGE / 50


def test_expired_waivers_are_named_and_others_are_not() -> None:
    match = Match(gateways=("*",))
    today = NOW.date()
    past = Waiver(match=match, until=today - timedelta(days=1), reason="was moving")
    still = Waiver(match=match, until=today, reason="moving")
    said = printed(inventory(), Policy(waivers=(past, still)))
    assert f"“was moving” ended on {date(2026, 11, 23)}: it excuses nothing any more" in said
    assert "'moving'" not in said


def test_a_statement_to_paste_stands_unbroken_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal, where everything else breaks between words."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    statement = (
        '{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "arn:aws:iam::000000000001:role/x"}'
    )
    whole = inventory(whole=False)
    remedy = f"Add to the policy of arn:aws:iam::1:user/test: {statement}; the role must name that identity"
    failures = tuple(each.model_copy(update={"remedy": remedy}) for each in whole.failures)
    said = printed(whole.model_copy(update={"failures": failures}), stream=Terminal())
    lines = COLOUR.sub("", said).splitlines()
    assert statement in lines
    assert max(len(line) for line in lines if line != statement) <= 60
    assert "  the role must name that identity" in lines


def test_where_nothing_was_read_no_zero_is_told_as_the_answer() -> None:
    """Zero volumes that need action would sound as if somebody had looked."""
    denied = fleets.target("000000000001", "us-east-1", TargetStatus.FAILED)
    said = printed(fleets.without_volumes([denied], [failure_of(denied)]))
    assert "Nothing was read: of no volume is anything known.\n" in said
    assert "need action" not in said


@pytest.mark.parametrize("kind", [FailureKind.DEADLINE, FailureKind.INTERRUPTED])
def test_the_end_of_the_scan_is_one_cause_however_many_accounts_it_left_unread(kind: FailureKind) -> None:
    targets = [fleets.target(f"{n:012d}", "us-east-1", TargetStatus.FAILED) for n in range(1, 10)]
    failures = [failure_of(each, kind) for each in targets]
    said = printed(fleets.without_volumes(targets, failures))
    assert "\n9 accounts, 9 calls: not read before " in said
    assert said.count("  → ") == 1


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in printed(inventory(), stream=Terminal())
    assert "\x1b" not in printed(inventory())


_EMPTY = {
    "volumes": (),
    "gateways": (),
    "targets": (),
    "coverage": {
        "targets": {},
        "gateways": {},
        "volumes": {},
        "calls": {"attempted": 0, "retried": 0, "throttled": 0},
    },
    "scan": inventory().scan.model_dump() | {"outcome": "complete"},
}
