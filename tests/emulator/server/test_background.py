from __future__ import annotations

import gc

import pytest
from botocore.exceptions import ReadTimeoutError

from scanner.emulator import Account, Fault, Fleet, Remote, background

from ..clients import client


def fleet() -> Fleet:
    return Fleet([Account("111111111111")])


def test_an_emulator_in_a_thread_serves_code_that_blocks() -> None:
    with background(fleet(), log_size=1) as emulator:
        assert client(emulator, "storagegateway").list_gateways()["Gateways"] == []
        assert len(emulator.log) == 1
    with pytest.raises(OSError, match="refused"):
        Remote(emulator.url).stats()


def test_an_emulator_in_a_thread_leaves_no_answer_behind_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    with background(fleet()) as emulator:
        emulator.faults.add(Fault("hang"))
        impatient = client(emulator, "storagegateway", config={"read_timeout": 0.2})
        with pytest.raises(ReadTimeoutError):
            impatient.list_gateways()
    gc.collect()
    assert "destroyed" not in caplog.text
