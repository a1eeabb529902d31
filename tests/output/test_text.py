"""What people read: sizes, ages, and other people's text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.inventory.records import Verdict, VerdictStatus
from scanner.output.text import age, age_of, ago, printable, rpo_of, size
from tests.output.fleet import HOSTILE


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    """No control, no mark that reorders, no second line."""
    shown = printable(text)
    assert not [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert shown.splitlines() in ([shown], [])


@given(st.text())
def test_text_that_all_can_see_stays_as_it_is(text: str) -> None:
    """And what is changed once is not changed again."""
    shown = printable(text)
    assert printable(shown) == shown
    assert shown.isprintable() or not text.isascii()
    if text.isascii() and text.isprintable():
        assert shown == text


def test_an_escape_says_which_character_it_was() -> None:
    """So that two names that differ by one are not taken for the same."""
    assert printable("a\x1bb\u202ec\ud800") == "a\\x1bb\\u202ec\\ud800"
    assert printable("naïve 日本語 😀") == "naïve 日本語 😀"


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, "not known"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (int(999.6 * 1024), "1000 KiB"),
        (1023 * 1024, "1023 KiB"),
        (2**40, "1 TiB"),
        (12345678, "11.8 MiB"),
        (2**63 - 1, "8 EiB"),
        (2**80, "1048576 EiB"),
    ],
)
def test_sizes(count: int | None, shown: str) -> None:
    """Three digits are enough to compare, and never an exponent."""
    assert size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.2, "0s"),
        (59.6, "1m"),
        (3661, "1h 1m"),
        (86400 * 3 + 3600 * 4 + 5, "3d 4h"),
        (86400 * 3 + 5, "3d 5s"),
        (-90, "1m 30s ahead"),
        (-0.2, "0s"),
    ],
)
def test_ages(seconds: float, shown: str) -> None:
    """Two units are enough; a point in the future says so."""
    assert age(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3661, "1h 1m old"),
        (-86400 * 29 - 3600 * 20, "29d 20h in the future"),
        (0, "0s old"),
        (-0.2, "0s old"),
    ],
)
def test_an_age_in_a_sentence_is_never_both_old_and_ahead(seconds: float, said: str) -> None:
    """`29d 20h ahead old` says nothing."""
    assert ago(seconds) == said


@pytest.mark.parametrize("status", VerdictStatus)
def test_none_is_said_only_of_what_is_known_to_be_absent(status: VerdictStatus) -> None:
    """Nobody could ask a failed gateway: its volumes may well have recovery points, and an RPO."""
    verdict = Verdict(status=status)
    assert (age_of(verdict) == "none") is (status is VerdictStatus.NO_RECOVERY_POINT)
    assert (rpo_of(verdict) == "not known") is (status is VerdictStatus.UNKNOWN)
    known = Verdict(status=status, age_seconds=60, rpo_seconds=3600)
    assert (age_of(known), rpo_of(known)) == ("1m", "1h")
