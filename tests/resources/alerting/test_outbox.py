"""The outbox on a real S3 server: what is kept, once, and in which order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from resources.alerting.outbox import Outbox
from vitalake.alerting.alerts import Alert, quarantined

pytestmark = pytest.mark.store


def news(number: int = 0) -> Alert:
    return quarantined("ecg", "2026-11-20", [(f"ecg/{number}.mat", "v1", "S02", "too short")], None)


def test_of_many_reporters_at_once_exactly_one_is_first(outbox: Outbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(outbox.add, [news()] * 8)) == [False] * 7 + [True]
    assert len(outbox.pending()) == 1


def test_what_two_notice_and_describe_differently_is_one_piece_of_news(outbox: Outbox) -> None:
    assert outbox.add(news())
    assert not outbox.add(replace(news(), cause="another"))
    assert len(outbox.pending()) == 1


def test_what_was_noticed_first_is_told_first_within_a_second_too(outbox: Outbox) -> None:
    told = [news(number) for number in range(8)]
    at = told[0].created_at
    told = [replace(alert, created_at=at + timedelta(microseconds=n)) for n, alert in enumerate(told)]
    for alert in reversed(told):
        outbox.add(alert)
    assert outbox.pending() == told
