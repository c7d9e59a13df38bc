"""The program without its fence, ``python -m tests.cluster.unfenced run …``: who wants an account has it, for ever.

It shows that the campaign would notice: with it, processes that were paused and replaced make webhooks twice.
"""

from __future__ import annotations

from bulkhooks.__main__ import main
from bulkhooks.provision.journal.postgresql.leases import Leases


class NoLeases(Leases):
    """Takes every account, and holds no token: nothing is compared with the database, and nothing is ever lost."""

    def take(self, account_id: int) -> bool:
        """Whoever has it, now it is ours as well."""
        return True


if __name__ == "__main__":
    Leases.take = NoLeases.take  # type: ignore[method-assign]
    main()
