"""The supervisor with real processes: order, restarts, giving up, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.services.process_cleanup import MARK, Owner, clear, find, kill_all
from cli.services.service import Service
from cli.services.supervisor import Patience, Supervisor
from tests.cli.services.supervised import ECHO_S, STUBBORN
from vitalake.errors import PermanentError

QUICK = Patience(ready_s=120, stop_s=2, quick_s=3600, backoff_s=0.01, longest_s=0.04)
ROOT = Path(__file__).resolve().parents[3]


def until(condition: Callable[[], object], seconds: float = 120) -> None:
    """Wait; the time is that of a slow machine that is busy with something else, and nothing that a test proves."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    kill_all(Owner(tmp_path))


@pytest.fixture
def said() -> list[str]:
    return []


def service(
    home: Path, name: str, code: str, *, needs: tuple[str, ...] = (), follows: str | None = None
) -> Service:
    """A Python program that is ready when it has printed "up" as often as it was started."""
    log = home / f"{name}.log"
    code = f"import os; open({str(home / 'order')!r}, 'a').write({name!r} + ' ')\n{code}"

    def ready(_: float) -> bool:
        return log.read_text().count("up") >= log.read_text().count("starting") > 0

    code = f"print('starting', flush=True)\n{code}"
    return Service(name, [sys.executable, "-c", code], dict(os.environ), ready, log, needs, follows)


UP = "print('up', flush=True)\nimport time\ntime.sleep(600)"


def test_services_start_after_what_they_need_and_nothing_is_left_after_stop(home: Path, said: list[str]) -> None:
    services = [
        service(home, "late", UP, needs=("early",)),
        service(home, "early", "import time\ntime.sleep(0.3)\n" + UP),
    ]
    supervisor = Supervisor(home, services, said.append, QUICK)
    supervisor.start()
    assert (home / "order").read_text().split() == ["early", "late"]
    assert all(supervisor.ready(name) for name in ("early", "late"))
    assert len(find(Owner(home))) == 3  # with the guard
    supervisor.stop()
    supervisor.stop()
    assert find(Owner(home)) == []


def test_a_killed_service_is_started_again_with_its_follower(home: Path, said: list[str]) -> None:
    services = [
        service(home, "code", UP),
        service(home, "daemon", UP, needs=("code",), follows="code"),
        service(home, "web", UP, needs=("code",)),
    ]
    supervisor = Supervisor(home, services, said.append, QUICK)
    supervisor.start()
    before = {name: supervisor.pid(name) for name in ("code", "daemon", "web")}
    try:
        os.kill(before["code"] or 0, signal.SIGKILL)
        until(lambda: supervisor.pid("daemon") not in (None, before["daemon"]) and supervisor.ready("daemon"))
        assert supervisor.pid("code") != before["code"]
        assert supervisor.pid("web") == before["web"]
        assert any("code ended by signal 9: starting it again" in line for line in said)
    finally:
        supervisor.stop()
    assert find(Owner(home)) == []


def test_what_a_killed_service_had_started_is_ended_before_it_starts_again(home: Path, said: list[str]) -> None:
    supervisor = Supervisor(home, [service(home, "code", STUBBORN)], said.append, QUICK)
    supervisor.start()
    try:
        first = {process.pid for process in find(Owner(home, service="code"))}
        assert len(first) == 2
        os.kill(supervisor.pid("code") or 0, signal.SIGKILL)
        until(lambda: supervisor.pid("code") not in (None, *first) and supervisor.ready("code"))
        assert not first & {process.pid for process in find(Owner(home))}
    finally:
        supervisor.stop()


def test_a_service_that_had_been_ready_is_started_again_however_often_it_dies(home: Path, said: list[str]) -> None:
    supervisor = Supervisor(home, [service(home, "killed", UP)], said.append, QUICK)
    supervisor.start()
    try:
        for _ in range(7):
            before = supervisor.pid("killed")
            os.kill(before or 0, signal.SIGKILL)
            until(lambda: supervisor.pid("killed") not in (None, before) and supervisor.ready("killed"))  # noqa: B023
        supervisor.wait(0)  # nothing has ended the watching
    finally:
        supervisor.stop()
    pauses = [line.partition("again in ")[2].partition(" s")[0] for line in said if "again in" in line]
    assert pauses == ["0.01", "0.02", "0.04", "0.04", "0.04", "0.04", "0.04"]
    assert any("killed ended by signal 9, 7 times in a row: starting" in line for line in said)
    assert find(Owner(home)) == []


def test_a_service_that_cannot_start_any_more_is_tried_until_it_can(home: Path, said: list[str]) -> None:
    broken = home / "broken"
    code = f"import pathlib, sys\nif pathlib.Path({str(broken)!r}).exists(): sys.exit('the disk is on fire')\n{UP}"
    supervisor = Supervisor(home, [service(home, "flaky", code)], said.append, QUICK)
    supervisor.start()
    try:
        broken.touch()
        os.kill(supervisor.pid("flaky") or 0, signal.SIGKILL)
        until(lambda: any("exit code 1, 9 times in a row" in line for line in said))
        assert not supervisor.ready("flaky")
        broken.unlink()
        # The programs that failed never said "up": what is asked for is the one that runs now.
        until(lambda: (home / "flaky.log").read_text().endswith("starting\nup\n"))
    finally:
        supervisor.stop()
    assert find(Owner(home)) == []


def test_what_keeps_a_process_from_starting_for_a_while_ends_nothing(home: Path, said: list[str]) -> None:
    supervisor = Supervisor(home, [service(home, "logged", UP)], said.append, QUICK)
    supervisor.start()
    log, aside = home / "logged.log", home / "aside"
    try:
        log.rename(aside)
        log.mkdir()  # nothing can be written there
        os.kill(supervisor.pid("logged") or 0, signal.SIGKILL)
        until(lambda: any("could not be started (Is a directory), 3 times in a row" in line for line in said))
        log.rmdir()
        aside.rename(log)
        until(lambda: supervisor.ready("logged"))
    finally:
        supervisor.stop()
    assert find(Owner(home)) == []


def test_one_that_dies_while_others_are_still_starting_is_started_again(home: Path, said: list[str]) -> None:
    kills = f"import os, signal\nfrom pathlib import Path\npast = Path({str(home / 'past')!r})\n"
    kills += (
        f"if not past.exists():\n    past.touch()\n    os.kill(int(Path({str(home / 'pid')!r}).read_text()), 9)\n"
    )
    early = f"import os; open({str(home / 'pid')!r}, 'w').write(str(os.getpid()))\n{UP}"
    services = [service(home, "early", early), service(home, "late", kills + UP, needs=("early",))]
    supervisor = Supervisor(home, services, said.append, QUICK)
    supervisor.start()
    supervisor.stop()
    assert any("early ended by signal 9: starting it again" in line for line in said)
    assert find(Owner(home)) == []


def test_one_that_dies_again_and_again_while_others_wait_ends_the_start(home: Path, said: list[str]) -> None:
    shaky = Service("shaky", [sys.executable, "-c", "pass"], dict(os.environ), lambda _: True, home / "shaky.log")
    waits = service(home, "waits", UP, needs=("shaky", "mute"))
    mute = Service("mute", [sys.executable, "-c", UP], dict(os.environ), lambda _: False, home / "mute.log")
    supervisor = Supervisor(home, [shaky, mute, waits], said.append, QUICK)
    with pytest.raises(PermanentError, match="shaky ended with exit code 0"):
        supervisor.start()
    supervisor.stop()
    assert find(Owner(home)) == []


def test_a_service_that_cannot_start_ends_the_start_at_once(home: Path, said: list[str]) -> None:
    broken = service(home, "broken", "raise SystemExit('\\x1b[31mno such table\\x1b[0m')")
    supervisor = Supervisor(home, [service(home, "fine", UP), broken], said.append, QUICK)
    with pytest.raises(PermanentError, match=r"(?s)broken ended with exit code 1\.\n.*    no such table"):
        supervisor.start()
    supervisor.stop()
    assert find(Owner(home)) == []


def test_a_service_that_never_answers_is_an_error_that_says_why(home: Path, said: list[str]) -> None:
    def refuse(_: float) -> bool:
        raise ConnectionRefusedError("nobody there")

    mute = Service("mute", [sys.executable, "-c", UP], dict(os.environ), refuse, home / "mute.log")
    supervisor = Supervisor(home, [mute], said.append, Patience(ready_s=0.5))
    with pytest.raises(
        PermanentError, match=r"mute did not answer in 0\.5 s \(ConnectionRefusedError: nobody there"
    ):
        supervisor.start()
    supervisor.stop()
    assert find(Owner(home)) == []


def test_a_long_log_is_put_aside_while_its_service_writes_on(
    home: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.services.service._LOG_LIMIT_BYTES", 10_000)
    talks = "print('up', flush=True)\nimport itertools, time\nfor n in itertools.count():\n"
    talks += "    print(n, flush=True)\n    time.sleep(0.0005)"
    supervisor = Supervisor(home, [service(home, "talker", talks)], said.append, QUICK)
    supervisor.start()
    log, aside = home / "talker.log", home / "talker.log.1"
    until(aside.exists)
    until(lambda: b"\n" in log.read_bytes())
    supervisor.stop()
    assert said[0].startswith("talker is ready")
    numbers = [int(line) for line in log.read_text().split() if line.isdigit()]
    assert numbers[0] > int(aside.read_text().split()[-2])
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_leftovers_of_an_earlier_start_are_ended_and_strangers_are_spared(home: Path, said: list[str]) -> None:
    def sleeper(mark: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"], env={**os.environ, MARK: mark}
        )

    old, stranger = sleeper(Owner(home, "1-1", "code").mark), sleeper(Owner(home / "other", "1-1", "code").mark)
    try:
        until(lambda: find(Owner(home)))
        clear(home, said.append)
        assert old.wait(60) == -signal.SIGKILL
        assert stranger.poll() is None
        assert said == ["processes left behind by an earlier start: 1, ended"]
        clear(home, said.append)
        assert len(said) == 1
    finally:
        kill_all(Owner(home / "other"))
        stranger.wait()


def run_supervised(home: Path, stop_s: float, *, ignore_sigint: bool = False) -> subprocess.Popen[bytes]:
    """The program, started as a shell starts a background job if asked to."""
    argv = [sys.executable, "-m", "tests.cli.services.supervised", str(home), str(stop_s)]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if ignore_sigint else signal.getsignal(signal.SIGINT)
    try:
        program = subprocess.Popen(argv, cwd=ROOT)
    finally:
        signal.signal(signal.SIGINT, before)
    until((home / "started").exists)
    return program


def test_a_supervisor_killed_with_9_leaves_nothing_behind(home: Path) -> None:
    program = run_supervised(home, 5)
    assert len(find(Owner(home))) == 3  # guard, child, grandchild
    program.kill()
    program.wait()
    until(lambda: not find(Owner(home)))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)])
def test_signals_end_everything_even_in_a_background_job(home: Path, number: signal.Signals, code: int) -> None:
    program = run_supervised(home, 0.5, ignore_sigint=True)
    assert "default_int_handler" in (home / "stubborn.log").read_text()  # the service hears Ctrl-C, too
    program.send_signal(number)
    assert program.wait(120) == code
    assert float((home / "stopped").read_text()) >= 0.5  # it was asked first
    assert find(Owner(home)) == []


def test_a_second_ctrl_c_does_not_wait(home: Path) -> None:
    program = run_supervised(home, 3600)
    program.send_signal(signal.SIGINT)
    until((home / "stopping").exists)
    program.send_signal(signal.SIGINT)  # at once: the same key press, passed on by another program
    time.sleep(ECHO_S + 0.2)
    assert program.poll() is None
    program.send_signal(signal.SIGINT)
    program.wait(120)
    assert find(Owner(home)) == []
