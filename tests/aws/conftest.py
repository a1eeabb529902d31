from typing import Any

import botocore.loaders
import botocore.session
import pytest


@pytest.fixture(scope="session")
def models() -> Any:
    return botocore.loaders.create_loader()


@pytest.fixture(autouse=True)
def _models_read_once(models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Most of the time of a small scan goes into reading the SDK's models, which no test changes.
    monkeypatch.setattr(botocore.session, "create_loader", lambda _: models)
