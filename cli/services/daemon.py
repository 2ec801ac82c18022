"""Dagster's daemon as the local system runs it: orphaned runs are reported first, then it goes on as usual.

Belongs here: this order. One process for both, since importing Dagster is most of the work of either. Does not
belong here: which runs are orphaned (`cli/services/orphans.py`). The arguments are those of `dagster-daemon`.
"""

from __future__ import annotations

import logging
from importlib.metadata import entry_points


def main() -> None:
    """End orphaned runs of the instance in `$DAGSTER_HOME`, then become the daemon."""
    from dagster import DagsterInstance, DefaultRunLauncher

    from cli.services.orphans import fail_orphaned_runs

    with DagsterInstance.get() as instance:
        # With this launcher runs are children of the code server beside us, in PostgreSQL too: a storage has one
        # daemon. Other launchers know the health of their runs, which are on other machines.
        if isinstance(instance.run_launcher, DefaultRunLauncher) and (ended := fail_orphaned_runs(instance)):
            logging.getLogger(__name__).warning("ended %d runs whose process is gone: %s", len(ended), ended)
    (daemon,) = entry_points(group="console_scripts", name="dagster-daemon")
    daemon.load()()


if __name__ == "__main__":
    main()
