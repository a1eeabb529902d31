from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import pytest

from .profiles import Ground, ground


@pytest.fixture(scope="session")
def models() -> Any:
    return botocore.loaders.create_loader()


@pytest.fixture(autouse=True)
def _models_read_once(models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Most of the time of a small scan goes into reading the SDK's models, which no test changes.
    monkeypatch.setattr(botocore.session, "create_loader", lambda _: models)


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ground]:
    async with ground(tmp_path, monkeypatch) as made:
        yield made
