"""The SDK's data files, read once for all sessions; of the 1,000 services in them only a few are kept.

Each session has a loader of its own, and each loader would read and keep them: 7 MB of endpoints for every profile.

Seen in aiobotocore 2.25 and 3.10: the component `data_loader`, which returns the same object whenever it is asked for
the same file; `partitions` and `services` in the file `endpoints`.
"""

from typing import Any

ENDPOINTS = frozenset(
    {
        "account",
        "ec2",
        "events",
        "oidc",
        "organizations",
        "portal.sso",
        "s3",
        "signin",
        "sns",
        "storagegateway",
        "sts",
        "tagging",
    }
)
"""The services that are asked, and those that the SDK asks for credentials, as endpoints name them."""


def share_data(core: Any, loaders: dict[str | None, Any]) -> None:
    """Gives the botocore session `core` the one loader in `loaders` for its data path, which its own may become."""
    path = core.get_config_variable("data_path")
    if path not in loaders:
        loaders[path] = core.get_component("data_loader")
        _drop_others(loaders[path])
    core.register_component("data_loader", loaders[path])


def _drop_others(loader: Any) -> None:
    for partition in loader.load_data("endpoints")["partitions"]:
        services = partition["services"]
        for name in services.keys() - ENDPOINTS:
            del services[name]
