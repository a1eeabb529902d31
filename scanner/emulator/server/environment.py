"""What an AWS client needs in its environment to talk to an emulator."""

from __future__ import annotations

from ..state.principals import BASE_KEY, BASE_SECRET


def environment(url: str, region: str) -> dict[str, str]:
    """Leads an AWS client to an emulator, as its base identity, and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": BASE_KEY,
        "AWS_SECRET_ACCESS_KEY": BASE_SECRET,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
