"""What was told lately, and how Slack took it: the memory by which alerts and posts wait.

Belongs here: when each cause was told, which alerts Slack refused, and for how long a channel is left alone, in one
small file beside `sent/`, so that a restart forgets nothing. Does not belong here: the alerts
(`resources/alerting/outbox.py`), or what is posted when (`resources/alerting/delivery.py`).

It is but a memory of hours. Lost, or written by two at once, it costs a message or a request too many, never an
alert. So that a process which dies at it, or a store that does not record what was sent, is no storm either, a
post is remembered as failed before it is made.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from vitalake.alerting.alerts import QUARANTINE
from vitalake.escaping import bounded_line
from vitalake.lake.parts import ConflictError, Store

# A second run that fails is heard of within a minute; what goes on comes at most four times an hour.
_PAUSES = [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15)]
# Refused files come in bursts, and one run after the other finds some of them: what follows the first is told once.
_PAUSES_OF_QUARANTINE = _PAUSES[-1:]
_REMEMBERED = timedelta(hours=1)
_A_DAY = timedelta(days=1)

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=5)  # for Slack that is down, or refuses the channel or token until somebody acts
_LONGEST_OF_REFUSED = timedelta(hours=1)  # for a message that it refuses, which will hardly change
_LONGEST_ASKED = _A_DAY  # a longer Retry-After is nonsense
_UNKNOWN = "a post was begun, and its end was not recorded"


@dataclass(frozen=True)
class ChannelTrouble:
    """Posts that failed, one after the other.

    Args:
        times: how many.
        since: when the first of them failed.
        at: when the last one did.
        pause: how long after that the next one waits.
        why: the last error, with what to do.
    """

    times: int
    since: datetime
    at: datetime
    pause: timedelta
    why: str

    @property
    def until(self) -> datetime:
        """When the next post is due."""
        return self.at + self.pause


class AlertThrottle:
    """Causes told within the last hour, when and how often; alerts that Slack refused; channels in trouble."""

    def __init__(self, store: Store, prefix: str, now: datetime) -> None:
        self._store, self._key, self._now = store, f"{prefix}told/causes.json", now
        self._version: str | None = None
        self._told: dict[str, tuple[datetime, int]] = {}
        self._refused: dict[str, datetime] = {}  # by fingerprint
        self._channels: dict[str, ChannelTrouble] = {}
        self.refusals: ChannelTrouble | None = None
        for item in store.objects(f"{prefix}told/"):
            if item.key == self._key:
                self._version = item.version
                with suppress(FileNotFoundError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
                    self._remember(json.loads(store.get(item.key)))

    def __contains__(self, cause: str) -> bool:
        """Whether it was told so lately that others of it wait: the longer, the oftener it was told."""
        if cause not in self._told:
            return False
        at, times = self._told[cause]
        pauses = _PAUSES_OF_QUARANTINE if cause.startswith(QUARANTINE) else _PAUSES
        return self._now - at < pauses[min(times, len(pauses)) - 1]

    def refused_at(self, fingerprint: str) -> datetime | None:
        """When Slack refused this alert; None if it did not."""
        return self._refused.get(fingerprint)

    def trouble(self, channel: str) -> ChannelTrouble | None:
        """The trouble with a channel; None after a post that it took."""
        return self._channels.get(channel)

    def pauses(self, trouble: ChannelTrouble | None) -> bool:
        """Whether the next post is not due yet; what lies ahead was recorded by another clock."""
        return trouble is not None and trouble.at <= self._now < trouble.until

    def begin(self, channel: str) -> bool:
        """A post is about to be made. False if somebody else delivers at this moment."""
        self._channels[channel] = self._failed(self._channels.get(channel), _UNKNOWN)
        if not (saved := self._save()):
            del self._channels[channel]
        return saved

    def fail(self, channel: str, why: str, retry_after: timedelta | datetime | None) -> None:
        """The post failed, as others to this channel would have; Slack may have said when to come back."""
        begun = self._channels.get(channel) or self._failed(None, why)
        asked = retry_after - self._now if isinstance(retry_after, datetime) else retry_after or timedelta(0)
        pause = max(begun.pause, min(asked, _LONGEST_ASKED))
        self._channels[channel] = ChannelTrouble(begun.times, begun.since, self._now, pause, why)
        self._save()

    def refuse(self, fingerprints: Collection[str], channel: str, why: str) -> None:
        """Slack answered, and refused the message about these alerts."""
        if self.refusals is None or any(fingerprint in self._refused for fingerprint in fingerprints):
            self.refusals = self._failed(self.refusals, why, _LONGEST_OF_REFUSED)
        self._refused |= dict.fromkeys(fingerprints, self._now)
        self._channels.pop(channel, None)
        self._save()

    def mark_sent(self, cause: str | None, fingerprints: Collection[str], channel: str) -> None:
        """These alerts were told. If one of them had been refused, others may pass now too."""
        if cause:
            _, times = self._told.get(cause, (self._now, 0))
            self._told[cause] = (self._now, times + 1)
        if any(fingerprint in self._refused for fingerprint in fingerprints):
            self._refused, self.refusals = {}, None
        self._channels.pop(channel, None)
        self._save()

    def _failed(
        self, before: ChannelTrouble | None, why: str, longest: timedelta = _LONGEST_PAUSE
    ) -> ChannelTrouble:
        times = before.times + 1 if before else 1
        pause = min(_FIRST_PAUSE * 2 ** min(times - 1, 16), longest)
        return ChannelTrouble(times, before.since if before else self._now, self._now, pause, why)

    def _remember(self, found: dict[str, list[list[str]]]) -> None:
        for cause, at, times in found.get("told", ()):
            last = datetime.fromisoformat(at), int(times)
            if self._within(last[0], _REMEMBERED):
                self._told[cause] = last
        for fingerprint, at in found.get("refused alerts", ()):
            if self._within(datetime.fromisoformat(at), _A_DAY):
                self._refused[fingerprint] = datetime.fromisoformat(at)
        for channel, *fields in found.get("channels", ()):
            if trouble := self._read(*fields):
                self._channels[channel] = trouble
        for fields in found.get("refusals", ()):
            self.refusals = self._read(*fields)

    def _read(self, times: str, since: str, at: str, pause_s: str, why: str) -> ChannelTrouble | None:
        pause = min(max(timedelta(seconds=float(pause_s)), timedelta(0)), _LONGEST_ASKED)
        times_, since_, at_ = max(int(times), 1), datetime.fromisoformat(since), datetime.fromisoformat(at)
        if not (since_ <= at_ and self._within(at_, 2 * _A_DAY)):
            return None
        return ChannelTrouble(times_, since_, at_, pause, bounded_line(str(why)))

    def _within(self, at: datetime, age: timedelta) -> bool:
        """Whether it is remembered; what lies ahead was told by another clock."""
        return timedelta(0) <= self._now - at < age

    def _save(self) -> bool:
        def line(trouble: ChannelTrouble) -> list[object]:
            times, since, at = trouble.times, trouble.since.isoformat(), trouble.at.isoformat()
            return [times, since, at, trouble.pause.total_seconds(), trouble.why]

        text = json.dumps(
            {
                "told": [(cause, at.isoformat(), times) for cause, (at, times) in self._told.items()],
                "refused alerts": [(fingerprint, at.isoformat()) for fingerprint, at in self._refused.items()],
                "channels": [[channel, *line(trouble)] for channel, trouble in self._channels.items()],
                "refusals": [line(self.refusals)] if self.refusals else [],
            }
        )
        try:
            self._version = self._store.put(self._key, text.encode(), expected=self._version)
        except ConflictError:  # somebody else delivers too
            return False
        return True
