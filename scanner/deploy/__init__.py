"""What an operator copies: alert rules, a dashboard, units, a cron entry, manifests and templates."""

from collections.abc import Mapping

__all__ = ["DEPLOYMENTS", "deployment_files"]

DEPLOYMENTS: Mapping[str, tuple[str, ...]] = {
    "alerts": ("prometheus-alerts.yml",),
    "dashboard": ("grafana-dashboard.json",),
    "systemd": (
        "systemd/sgw-scanner.service",
        "systemd/sgw-scanner.timer",
        "systemd/sgw-scanner-serve.service",
    ),
    "cron": ("sgw-scanner.cron",),
    "kubernetes": ("kubernetes/cronjob.yaml", "kubernetes/network-policy.yaml"),
    "kubernetes-serve": ("kubernetes/serve.yaml",),
    "kubernetes-shards": ("kubernetes/shards.yaml",),
    "kubernetes-dask": ("kubernetes/dask.yaml",),
    "kustomize": (
        "kubernetes/kustomization.yaml",
        "kubernetes/cronjob.yaml",
        "kubernetes/network-policy.yaml",
        "kubernetes/serve.yaml",
        "kubernetes/shards.yaml",
    ),
    "batch": ("aws/batch.yaml",),
    "step-functions": ("aws/step-functions.yaml",),
}
"""Each deployment by its name: its files, as paths in this package."""


def deployment_files(name: str) -> dict[str, bytes]:
    """The files of one of `DEPLOYMENTS` by their names without folders. Raises KeyError for another name."""
    from importlib.resources import files

    folder = files(__name__)
    return {path.rpartition("/")[2]: folder.joinpath(path).read_bytes() for path in DEPLOYMENTS[name]}
