"""Dagster's daemon as the local system runs it: orphaned runs are reported first, then it goes on as usual.

Belongs here: this order. One process for both, since importing Dagster is most of the work of either. Does not
belong here: which runs are orphaned (`cli/orphans.py`). The arguments are those of `dagster-daemon`.
"""

from __future__ import annotations

import logging
from importlib.metadata import entry_points


def main() -> None:
    """End orphaned runs of the instance in `$DAGSTER_HOME`, then become the daemon."""
    from dagster import DagsterInstance

    from cli.orphans import fail_orphaned_runs
    from resources.settings import load_settings

    # In a shared storage there are runs of other machines, whose processes cannot be looked for here.
    if load_settings().postgres_url is None:
        with DagsterInstance.get() as instance:
            if ended := fail_orphaned_runs(instance):
                logging.getLogger(__name__).warning("ended %d runs whose process is gone: %s", len(ended), ended)
    (daemon,) = entry_points(group="console_scripts", name="dagster-daemon")
    daemon.load()()


if __name__ == "__main__":
    main()
