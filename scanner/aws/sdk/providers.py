"""The SDK's chain of credential providers: read anew, with helpers of ours, and its faults told apart.

Seen in aiobotocore 2.25 and 3.10: `_popen` of the provider `custom-process`, which is given the words of a command and
pipes, `_prompter` of `assume-role`, which is given a question, and `_expiry_time` of credentials that have an end.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

READERS: Final = frozenset(
    {
        *("aiobotocore.credentials", "aiobotocore.tokens", "aiobotocore.utils", "aiobotocore.parsers"),
        *("botocore.credentials", "botocore.tokens", "botocore.utils", "botocore.parsers"),
    }
)
"""The SDK's modules that make keys of what a file, a process or an endpoint says."""
READING_PACKAGES: Final = ("dateutil.", "json.")


def replace_helpers(core: Any, start: Callable[..., Awaitable[Any]], prompt: Callable[[str], str]) -> None:
    """Lets the providers of a botocore session start processes by `start`, and ask for codes by `prompt`."""
    chain = core.get_component("credential_provider")
    chain.get_provider("custom-process")._popen = start
    chain.get_provider("assume-role")._prompter = prompt


async def load_credentials(core: Any) -> Any:
    """What the chain of a botocore session yields now; None if nothing.

    Its get_credentials would keep for good what came without an end, though a file may have been renewed since.
    """
    return await core.get_component("credential_provider").load_credentials()


def end_of(credentials: Any) -> datetime | None:
    """When credentials of the SDK end; None where that is not known."""
    found = getattr(credentials, "_expiry_time", None)
    if not isinstance(found, datetime):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def comes_of_reading(error: Exception) -> bool:
    """Whether the SDK tripped over what it read, and not over us or itself, which would be a defect."""
    if isinstance(error, ValueError | LookupError):
        return True
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    return module in READERS or module.startswith(READING_PACKAGES)
