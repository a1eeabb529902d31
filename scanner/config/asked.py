"""What a scan is asked for, as its inventory remembers it."""

from scanner.config.settings import ScannerConfig
from scanner.inventory.records import Asked, AskedRule, AskedWaiver


def asked_of(config: ScannerConfig) -> Asked:
    """The policy with its source, and the accounts and Regions to which the scan is narrowed."""
    policy, selection = config.policy, config.selection
    return Asked(
        source=config.policy_source,
        accounts=selection.accounts,
        regions=selection.regions,
        rpo_seconds=policy.rpo.total_seconds() if policy.rpo else None,
        warn_at=policy.warn_at,
        rules=tuple(AskedRule(name=rule.name, rpo_seconds=rule.rpo.total_seconds()) for rule in policy.rules),
        waivers=tuple(
            AskedWaiver(
                reason=waiver.reason,
                until=waiver.until,
                excuses=tuple(excuse.value for excuse in waiver.excuses),
            )
            for waiver in policy.waivers
        ),
    )
