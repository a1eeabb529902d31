"""What a worker is asked: some accounts of one scan. No secret travels in it; the worker has its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from scanner.config.settings import AccountSettings, ScannerConfig
from scanner.engine.scan import PlannedAccount
from scanner.errors import ConfigError

EXTERNAL_ID_REMEDY = (
    "give the worker the same configuration (-c or $SGW_SCANNER_CONFIG), or set "
    "SGW_SCANNER_ORGANIZATION__EXTERNAL_ID in its environment"
)


@dataclass(frozen=True)
class Task:
    """Accounts of one scan, with the settings that they are scanned by.

    `file` is where the configuration lies, if the worker has it, too; `deadline` is in seconds from now. `secretive`
    are the accounts whose role asks for an external id.
    """

    scan_id: str
    number: int
    version: str
    config: ScannerConfig
    accounts: tuple[PlannedAccount, ...]
    secretive: frozenset[str] = frozenset()
    file: str | None = None
    deadline: float | None = None
    slots: int = 1

    @property
    def key(self) -> str:
        """What the scheduler calls it."""
        return f"sgw-scanner-{self.scan_id}-{self.number}"

    def __repr__(self) -> str:
        # It stands in logs of the scheduler.
        return f"<Task {self.number} of {self.scan_id}: {len(self.accounts)} accounts>"

    def with_share(self, slots: int, deadline: float | None) -> "Task":
        """The same, with so many calls at once, and so many seconds left."""
        return replace(self, slots=slots, deadline=deadline)

    def config_here(self) -> ScannerConfig:
        """The configuration with this machine's secrets; raises ConfigError where one is missing."""
        accounts = tuple(each.settings for each in self.accounts if each.settings)
        if self.secretive:
            own = _own_config(self.file)
            accounts = tuple(self._let_in(account, own) for account in accounts)
        scan = self.config.scan.model_copy(
            update={
                "max_concurrency": self.slots,
                "deadline": None if self.deadline is None else timedelta(seconds=max(self.deadline, 0.001)),
            }
        )
        return self.config.selecting(self.config.selection, {}, scan=scan, accounts=accounts)

    def planned_here(self, config: ScannerConfig) -> list[PlannedAccount]:
        """The accounts with this machine's secrets."""
        known = {account.id: account for account in config.accounts}
        return [each._replace(settings=each.settings and known[each.settings.id]) for each in self.accounts]

    def _let_in(self, account: AccountSettings, own: ScannerConfig) -> AccountSettings:
        if account.id not in self.secretive:
            return account
        configured = {each.id: each.external_id for each in own.accounts}
        external_id = configured.get(account.id)
        if external_id is None and own.organization:
            external_id = own.organization.external_id
        if external_id is None:
            raise ConfigError(
                f"the worker has no external id for the account {account.id}; {EXTERNAL_ID_REMEDY}"
            )
        return account.model_copy(update={"external_id": external_id})


def tasks_of(
    config: ScannerConfig,
    accounts: Sequence[PlannedAccount],
    scan_id: str,
    version: str,
    accounts_per_task: int,
) -> list[Task]:
    """The tasks of a scan, some accounts each, in the order of the plan."""
    # Who is to be told of a scan, and where it is kept, is no worker's business.
    bare = ScannerConfig(
        scan=config.scan, retry=config.retry, credentials=config.credentials, policy=config.policy
    ).selecting(config.selection, {})
    file = config.file
    return [
        Task(
            scan_id,
            number,
            version,
            bare,
            tuple(_without_secret(each) for each in accounts[start : start + accounts_per_task]),
            frozenset(
                each.settings.id
                for each in accounts[start : start + accounts_per_task]
                if each.settings and each.settings.external_id
            ),
            str(Path(file).absolute()) if file else None,
        )
        for number, start in enumerate(range(0, len(accounts), accounts_per_task), 1)
    ]


def _without_secret(account: PlannedAccount) -> PlannedAccount:
    settings = account.settings
    return account._replace(settings=settings and settings.model_copy(update={"external_id": None}))


def _own_config(file: str | None) -> ScannerConfig:
    return ScannerConfig.load(file if file and Path(file).is_file() else None)
