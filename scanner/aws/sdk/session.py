"""The botocore session inside of one of aioboto3.

Seen in aioboto3 15.5: `Session._session`.
"""

from typing import Any

import aioboto3


def core_of(session: aioboto3.Session) -> Any:
    """The botocore session that reads the files and the environment for `session`."""
    return session._session
