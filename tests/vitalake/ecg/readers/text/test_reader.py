"""Delimited text: the numbers exactly as written, whatever the layout, and a calm refusal of everything else."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.ecg.readers.mutations import mutated
from vitalake.ecg.readers.text import reader as text
from vitalake.ecg.recording import Recording
from vitalake.ecg.structure import checked
from vitalake.errors import UnusableDataError

MAX_SAMPLES = 2**22
KARDIA = (
    'Name,Jane Roe\nDate of Birth,1.1.1990\nDevice,"Watch6,4"\nSample Rate,512 hertz\n\n\nLead,Lead I\nUnit,µV\n\n'
    "-12.3\n14.2\n15\n16.1\n"
)


def read(content: str | bytes) -> Recording:
    data = content.encode() if isinstance(content, str) else content
    assert text.recognises(data)
    return text.read(data, max_samples=MAX_SAMPLES)


def refusal(content: str | bytes, max_samples: int = MAX_SAMPLES) -> UnusableDataError:
    data = content.encode() if isinstance(content, str) else content
    with pytest.raises(UnusableDataError) as caught:
        text.read(data, max_samples=max_samples)
    return caught.value


def table(recording: Recording) -> list[list[float]]:
    return [lead.samples.tolist() for lead in recording.leads]


def timed(times: Sequence[object], header: str = "time,ECG") -> Recording:
    return read(header + "\n" + "".join(f"{time},{at % 7}\n" for at, time in enumerate(times)))


@pytest.mark.data
def test_the_challenge_of_2011_sample_by_sample(data_dir: Path) -> None:
    truth = np.load(data_dir / "cinc2011/seta_dev_int16.npz")
    place = {record: at for at, record in enumerate(truth["record"])}
    paths = sorted((data_dir / "cinc2011/text").glob("*.txt"))
    assert len(paths) == 8
    for path in paths:
        found = np.stack([lead.samples for lead in read(path.read_bytes()).leads], axis=1)
        assert found.dtype == np.int32
        np.testing.assert_array_equal(found, truth["signal"][place[path.stem]])


@pytest.mark.data
def test_real_files_of_other_layouts(data_dir: Path) -> None:
    commented = read((data_dir / "csv/ecg.txt").read_bytes())
    assert [(lead.name, lead.sampling_rate_hz, len(lead.samples)) for lead in commented.leads] == [
        ("ECG", 1000.0, 15000)
    ]
    dated = read((data_dir / "csv/ecg_test_w.csv").read_bytes())
    assert dated.started_at == datetime(2021, 4, 26, 18, 19, 52, 517318, tzinfo=timezone.utc)
    assert [(lead.name, lead.sampling_rate_hz) for lead in dated.leads] == [("2", 256.0), ("3", 256.0)]
    expected = np.loadtxt(data_dir / "csv/ecg_test_w.csv", delimiter=",", skiprows=1, usecols=2)
    np.testing.assert_array_equal(dated.leads[0].samples, expected)
    trailing = read((data_dir / "scp_edf/0000050.ECG.csv").read_bytes())
    expected = np.loadtxt(data_dir / "scp_edf/0000050.ECG.csv", delimiter=",", usecols=range(6), dtype=np.int32)
    np.testing.assert_array_equal(np.stack([lead.samples for lead in trailing.leads], 1), expected, strict=True)


def test_units_and_names_of_a_header() -> None:
    found = read("time (ms);II (mV);ECG [uV];V5_mV;V;II (raw);ABP [mmHg]\n0;1;2;3;4;5;6\n4;1;2;3;4;5;6\n")
    assert [(lead.name, lead.gain_adu_per_unit, lead.unit) for lead in found.leads] == [
        ("II", 1.0, "mV"),
        ("ECG", 1000.0, "mV"),
        ("V5", 1.0, "mV"),
        ("V", 1.0, "adu"),
        ("II (raw)", 1.0, "adu"),
        ("ABP", 1.0, "mmHg"),
    ]
    assert {lead.sampling_rate_hz for lead in found.leads} == {250.0}
    rows = "".join(f"'0:{at // 250:02d}.{at % 250 * 4:03d}',-0.145,0.065\n" for at in range(600))
    found = read("'Elapsed time','MLII','V5'\n'hh:mm:ss.mmm','mV','uV'\n" + rows)
    assert [(lead.name, lead.gain_adu_per_unit, lead.unit) for lead in found.leads] == [
        ("MLII", 1.0, "mV"),
        ("V5", 1000.0, "mV"),
    ]
    assert found.leads[0].sampling_rate_hz == 250.0


def test_lines_of_a_watch_before_a_single_column_give_its_rate_and_nothing_personal() -> None:
    found = read(KARDIA)
    lead = found.leads[0]
    assert (lead.name, lead.sampling_rate_hz, lead.gain_adu_per_unit, lead.unit) == ("Lead I", 512.0, 1000.0, "mV")
    assert lead.samples.tolist() == [-12.3, 14.2, 15.0, 16.1]
    assert "Roe" not in repr(found)
    assert read("Jane Roe\n1\n2\n3\n").leads[0].name == "lead_1"
    assert read("II (mV)\n1\n2\n3\n").leads[0].unit == "mV"


def test_empty_fields_are_missing_and_empty_last_columns_are_none() -> None:
    found = read("a,b,c,,\n1,,1.5,,\n2,5,nan,,\n,6,2.5,,\n")
    assert len(found.leads) == 3
    first, second, third = found.leads
    assert first.samples.dtype == second.samples.dtype == np.int32
    assert first.missing is not None
    assert second.missing is not None
    assert (first.missing.tolist(), second.missing.tolist()) == ([False, False, True], [True, False, False])
    np.testing.assert_array_equal(third.samples, [1.5, np.nan, 2.5])


def test_numbers_keep_their_kind() -> None:
    found = read("a,b,c,d\n1,1.0,+5,3000000000\n-2,2, 6,0\n3,3, ,1\n")
    assert [lead.samples.dtype.name for lead in found.leads] == ["int32", "float64", "float64", "float64"]
    assert found.leads[3].samples[0] == 3e9
    assert refusal("1,2\n9007199254740993,1\n").rule == "S10"


@pytest.mark.parametrize(
    ("times", "header", "rate"),
    [
        ([at / 250 for at in range(50)], "time,ECG", 250.0),
        ([f"{at / 360:.3f}" for at in range(500)], "Time (s),ECG", 360.0),
        ([4 * at for at in range(50)], "t [ms],ECG", 250.0),
        ([2 * at for at in range(50)], "time,ECG", 500.0),
        ([at / 128 for at in range(50)], "1,ECG", 128.0),
        ([at // 250 for at in range(5001)], "time_s,ECG", 250.0),
        (list(range(50)), "sample,ECG", 0.0),
        (list(range(1, 51)), ",ECG", 0.0),
        (list(range(50)), "time_ms,ECG", 1000.0),
        ([f"00:{at // 60:02d}:{at % 60:02d}.5" for at in range(90)], "time,ECG", 1.0),
        ([f"10:00:{at // 100:02d}.{at % 100:02d}" for at in range(300)], "clock,ECG", 100.0),
    ],
)
def test_time_columns(times: list[object], header: str, rate: float) -> None:
    found = timed(times, header)
    assert len(found.leads) == 1
    assert found.leads[0].sampling_rate_hz == rate
    assert found.findings == ()
    assert found.started_at is None


@pytest.mark.parametrize(
    "times",
    [
        [f"2024-02-29T23:59:59.{4 * at:03d}Z" for at in range(200)],
        [f"2024-03-01 00:59:59.{4 * at:03d}+01:00" for at in range(200)],
        [f"2024-02-29 23:59:59.{4 * at:03d}" for at in range(200)],
        [1709251199000 + 4 * at for at in range(200)],
        [f"{1709251199 + at / 250:.3f}" for at in range(200)],
    ],
)
def test_absolute_times_give_the_start(times: list[object]) -> None:
    found = timed(times)
    assert found.started_at == datetime(2024, 2, 29, 23, 59, 59, tzinfo=timezone.utc)
    assert found.leads[0].sampling_rate_hz == 250.0
    assert found.findings == ()


def test_uneven_times_are_a_finding_and_a_signal_is_no_time() -> None:
    even = [at / 250 for at in range(500)]
    assert timed(even).findings == ()
    jittered = [time + (0.001 if at % 20 == 0 else 0) for at, time in enumerate(even)]
    (finding,) = timed(jittered).findings
    assert finding.rule == "S15"
    assert "time steps differ" in finding.message
    gapped = even[:250] + [time + 60 for time in even[250:]]
    (finding,) = timed(gapped).findings
    assert "gaps" in finding.message
    assert timed(gapped).leads[0].sampling_rate_hz == 250.0
    (finding,) = timed([1.0] * 20).findings
    assert "does not advance" in finding.message
    assert len(timed([5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6], "a,b").leads) == 2


JUMPS = (
    "1000-01-01 00:00,,0\n0200-01-01 00:00:00,,\n0200-01-01 00:00:00,,\n0200-01-01 00:00:00,,\n"
    "0000-01-01 00:00,,\n1000-01-01 00:00:17,,.23"
)


def test_times_that_jump_are_refused_and_never_a_rate() -> None:
    error = refusal(JUMPS)
    assert (error.rule, error.message) == ("S02", "a date of the text lies outside of the years 1678 to 2261")
    years = [2010, 2002, 2031, 2002, 2000, 2020]
    error = refusal("".join(f"{year}-01-01 00:00:0{at},,{at}\n" for at, year in enumerate(years)))
    assert error.rule == "S07"
    assert "they give no sampling rate" in error.message
    rng = np.random.default_rng(1)
    for times in (np.cumsum(rng.exponential(0.004, 2000)), rng.uniform(0, 9, 50)):
        error = refusal("time (s),ECG\n" + "".join(f"{time:.6f},{at % 7}\n" for at, time in enumerate(times)))
        assert error.rule == "S07"
    packets = [round(0.5 * (at // 63) + 0.001 * (at % 63), 3) for at in range(2000)]
    assert (
        refusal("time (s),ECG\n" + "".join(f"{time},{at % 7}\n" for at, time in enumerate(packets))).rule == "S07"
    )
    stated = read("# Sampling rate: 126 Hz\ntime (s),ECG\n" + "".join(f"{time},{time}\n" for time in packets))
    assert stated.leads[0].sampling_rate_hz == 126.0
    assert [finding.rule for finding in stated.findings] == ["S15"]


def clocks(form: str, begin: datetime, seconds: float = 4.0) -> list[str]:
    """Times of a clock that goes at 250 Hz; `%f` has three digits."""
    times = [begin + timedelta(milliseconds=4 * at) for at in range(round(250 * seconds))]
    return [time.strftime(form.replace("%f", f"{time.microsecond // 1000:03d}")) for time in times]


@pytest.mark.parametrize(
    "form",
    [
        "%H:%M:%S.%f",
        "%H:%M:%S,%f",
        "%H:%M:%S:%f",
        "%I:%M:%S.%f %p",
        "%I:%M:%S.%f",
        "%d.%m.%Y %H:%M:%S,%f",
        "%m/%d/%Y %I:%M:%S.%f %p",
        "%Y-%m-%d %H:%M:%S,%f",
        "[%H:%M:%S.%f %d/%m/%Y]",
    ],
)
@pytest.mark.parametrize("begin", [datetime(2024, 3, 1, 23, 59, 58), datetime(2024, 3, 1, 12, 59, 58)])
def test_clocks_of_many_countries_over_midnight_and_noon(form: str, begin: datetime) -> None:
    rows = "".join(f"{time};{at % 7}\n" for at, time in enumerate(clocks(form, begin)))
    found = read("Zeit;EKG\n" + rows)
    assert [(lead.name, lead.sampling_rate_hz) for lead in found.leads] == [("EKG", 250.0)]
    assert found.findings == ()


def test_a_clock_that_is_coarser_than_the_samples() -> None:
    times = clocks("%Y-%m-%d %H:%M:%S", datetime(2024, 3, 1, 10, 0, 0, 400_000), seconds=6)
    found = timed(times)
    assert (found.leads[0].sampling_rate_hz, found.findings) == (250.0, ())
    assert refusal("time,ECG\n" + "".join(f"{time},1\n" for time in times[:500])).rule == "S07"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_times_and_counters_may_stand_anywhere(place: int) -> None:
    names, rows = ["ECG (mV)", "acc_x"], [[f"{at % 7}", f"{at % 5}"] for at in range(300)]
    for name, cell in (
        ("Sample Index", "{at}"),
        ("Timestamp (Formatted)", "10:00:0{s}.{ms:03d}"),
        ("nSeq", "{wrap}"),
    ):
        names.insert(place, name)
        for at, row in enumerate(rows):
            row.insert(place, cell.format(at=at, s=at // 250, ms=at % 250 * 4, wrap=at % 16))
    content = "\n".join(map(",".join, [names, *rows]))
    assert [(lead.name, lead.sampling_rate_hz) for lead in read(content).leads] == [
        ("ECG", 250.0),
        ("acc_x", 250.0),
    ]
    unnamed = read("# sampling rate: 250\n" + "\n".join(map(",".join, rows)))
    assert len(unnamed.leads) == 2


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"])
def test_a_date_and_a_time_in_columns_of_their_own(form: str) -> None:
    times = clocks(f"{form};%H:%M:%S.%f", datetime(2024, 3, 1, 10))
    found = read("Date;Time;ECG (mV)\n" + "".join(f"{time};{at % 7}\n" for at, time in enumerate(times)))
    assert [(lead.name, lead.sampling_rate_hz) for lead in found.leads] == [("ECG", 250.0)]
    assert found.started_at is None, "midnight of that day is no start"


@pytest.mark.parametrize("name", ["T", "s", "sample", "n", "index"])
def test_a_name_that_may_be_of_a_signal_is_one_of_a_time_only_where_it_goes_up(name: str) -> None:
    rows = "".join(f"{at / 250:.3f},{at % 7},{at % 5}\n" for at in range(300))
    assert len(read(f"time (s),ECG,{name}\n" + rows).leads) == 2
    rows = "".join(f"{at / 250:.3f},{at % 7},{at / 250:.3f}\n" for at in range(300))
    assert len(read(f"# sampling rate: 250\nx (s),ECG,{name}\n" + rows).leads) == 1


def test_rates_that_contradict_each_other_are_refused() -> None:
    rows = "".join(f"{at / 250:.3f},{8 * at},{at % 7}\n" for at in range(300))
    error = refusal("# Sampling rate: 500 Hz\ntime (s),x,ECG\n" + rows)
    assert (error.rule, error.message.partition(":")[0]) == (
        "S07",
        "the head states 500 Hz, the column of times 250 Hz",
    )
    error = refusal("time (s),timestamp [ms],ECG\n" + rows)
    assert error.message.startswith("a column of times gives 250 Hz, another 125 Hz")
    assert read("# Sampling rate: 250 Hz\ntime (s),x,ECG\n" + rows).leads[0].sampling_rate_hz == 250.0
    guessed = "".join(f"{8 * at},{at % 7}\n" for at in range(300))  # milliseconds as likely as anything
    assert read("# Sampling rate: 1000 Hz\ntime,ECG\n" + guessed).leads[0].sampling_rate_hz == 1000.0
    assert read("Time (days),ECG\n" + guessed).leads[0].sampling_rate_hz == 0.0


def test_lines_that_state_something_are_no_names() -> None:
    found = read("Sample Rate,250\nI,II\n" + "".join(f"{at % 7},{at % 5}\n" for at in range(300)))
    assert [(lead.name, lead.sampling_rate_hz) for lead in found.leads] == [("I", 250.0), ("II", 250.0)]
    above = read("s,mV,uV\ntime,I,II\n" + "".join(f"{at / 250:.3f},{at % 7},{at % 5}\n" for at in range(300)))
    assert [(lead.name, lead.gain_adu_per_unit) for lead in above.leads] == [("I", 1.0), ("II", 1000.0)]
    by_rows = "".join(f'"{at + 1}"\t{at % 7}\t{at % 5}\n' for at in range(300))
    assert [lead.name for lead in read("I\tII\n" + by_rows).leads] == ["I", "II"], "as R writes row numbers"
    too_few = "".join(f"{at % 3}\t{at % 7}\t{at % 5}\n" for at in range(300))
    assert [lead.name for lead in read("I\tII\n" + too_few).leads] == ["lead_1", "lead_2", "lead_3"]


@pytest.mark.parametrize(
    ("head", "name", "gain"),
    [
        ("ECG [uV]", "ECG", 1000.0),
        ("ECG (mVolt)", "ECG", 1.0),
        ("ECG in mV", "ECG", 1.0),
        ("ECG/mV", "ECG", 1.0),
        ("V5_milliVolts", "V5", 1.0),
        ("II, µV", "II", 1000.0),
        ("Lead V", "Lead V", 1.0),
    ],
)
def test_units_behind_names(head: str, name: str, gain: float) -> None:
    rows = "".join(f"{at / 250:.3f};{at % 7}\n" for at in range(300))
    [lead] = read(f"time (s);{head}\n" + rows).leads
    assert (lead.name, lead.gain_adu_per_unit) == (name, gain)
    assert lead.unit == ("adu" if head == "Lead V" else "mV")


def test_a_micro_sign_of_another_code_page() -> None:
    rows = "".join(f"{at / 250:.3f},{at % 7}\n" for at in range(300)).encode()
    for micro in (b"\x83\xca", b"\xb5", b"\xc2\xb5", b"\xce\xbc", b"\xe6"):
        [lead] = read(b"time (s),ECG (" + micro + b"V)\n" + rows).leads
        assert (lead.name, lead.unit, lead.gain_adu_per_unit) == ("ECG", "mV", 1000.0)


@pytest.mark.parametrize(
    ("content", "rule", "said"),
    [
        ("a,b\n1,2\n3,4,5\n6,7\n", "S02", "line 3 has 3 columns, expected 2"),
        ("a,b\n1,2\n3\n4,5\n5,6\n", "S02", "line 3 has 1 columns, expected 2"),
        ("# a\n\n1,2\n3,\n5,Roe\n", "S02", "line 5 holds a cell that is no number"),
        ("1 2\r\n3 4\r\n5 x\r\n", "S02", "line 3 holds"),
        ("1,2\n3,4\n5,0x1f\n", "S02", "line 3 holds"),
        ("1,2\n3,4\n5,true\n", "S02", "line 3 holds"),
        ("1,2\n3,4\n5,2024-01-01\n", "S02", "line 3 holds"),
        ("time,lead\n0,1024\n" * 400, "S02", "no text of rows"),
        ("1,2\n3,4\n\xff,6\n7,8\n", "S02", "line 3 holds"),
        ('{"a": [1, 2]}', "S02", "no text of rows"),
        ("<a>1</a>", "S02", "no text of rows"),
        ("[1,\n2,\n3]", "S02", "no text of rows"),
        ("", "S02", "no text of rows"),
        ("validation/A00001.mat", "S02", "no text of rows"),
        (b"\xff\xfe1\x00\n\x00\x00\xd8", "S02", "UTF-16"),
        (",".join("1" * 600) + "\n", "S05", "600 columns"),
    ],
)
def test_refusals_name_the_line_and_not_the_text(content: str | bytes, rule: str, said: str) -> None:
    error = refusal(content)
    assert error.rule == rule
    assert said in error.message
    assert "Roe" not in error.message


def test_no_more_than_the_allowed_samples_are_read() -> None:
    rows = "1,2\n3,4\n"
    assert len(text.read(rows.encode(), max_samples=6).leads) == 2
    error = refusal(rows * 4, 6)
    assert error.rule == "S01"


@pytest.mark.parametrize(
    "content", [b"{}", b"<x/>", bytes(99), b"MATLAB 5.0", b"100 2 360 1000\n100.dat 212 200 11\n"]
)
def test_other_formats_are_not_recognised(content: bytes) -> None:
    assert not text.recognises(content)


@settings(deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(-(2**31), 2**31 - 1), min_size=columns, max_size=columns), min_size=2, max_size=8
        )
    ),
    st.sampled_from([",", ";", "\t", " ", "  ", ", "]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_integers_come_back_from_every_layout(
    rows: list[list[int]], delimiter: str, end: str, encoding: str, quoted: bool, header: bool, last_end: bool
) -> None:
    quote = '"' if quoted and delimiter in (",", ";", "\t") else ""
    lines = [delimiter.join(f"{quote}{value}{quote}" for value in row) for row in rows]
    if header:
        lines.insert(0, delimiter.join(f"ch{at}" for at in range(len(rows[0]))))
    found = read((end.join(lines) + end * last_end).encode(encoding))
    assert table(found) == np.transpose(rows).tolist()
    assert all(lead.samples.dtype == np.int32 for lead in found.leads)
    if header:
        assert [lead.name for lead in found.leads] == [f"ch{at}" for at in range(len(rows[0]))]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(*[st.decimals(-1000, 1000, places=3, allow_nan=False)] * 2), min_size=3, max_size=8, unique=True
    ),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), ("\t", "."), (" ", ",")]),
)
def test_decimals_come_back_with_either_mark(rows: list[tuple[object, object]], layout: tuple[str, str]) -> None:
    delimiter, mark = layout
    lines = [delimiter.join(str(value).replace(".", mark) for value in row) for row in rows]
    found = read("a" + delimiter + "b\n" + "\n".join(lines))
    assert table(found) == [[float(str(row[at])) for row in rows] for at in (0, 1)]


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(alphabet="0123456789.,;:-+eE \t\r\n\"'#%naTZ[]()µV", max_size=300).map(str.encode),
        mutated(KARDIA.encode(), 200),
        mutated(JUMPS.encode(), 130),
        mutated(b"time;ECG\n" + b"".join(b"10:00:%02d,%03d;%d,5\n" % (at, at, at) for at in range(30)), 60),
        mutated(b"4 msec/sample\n1 channels\nECG\nmV\nsec\tCH1\n\t9\n" + b"0.004\t0.5\n" * 9, 60),
        mutated(b"time,II (mV)\n" + b"".join(b"0.%03d,%d\n" % (4 * at, at % 5) for at in range(30)), 60),
        mutated(b"2021-04-26 18:19:52.517318,1,2\n2021-04-26 18:19:52.521224,3,4\n" * 4, 300),
    )
)
def test_anything_else_is_read_or_refused(content: bytes) -> None:
    text.recognises(content)
    with contextlib.suppress(UnusableDataError):
        found = text.read(content, max_samples=MAX_SAMPLES)
        assert len({len(lead.samples) for lead in found.leads}) == 1
        assert all(lead.samples.dtype in (np.int32, np.float64) for lead in found.leads)


@pytest.mark.parametrize("head", ["pressure (mmHg)", "II (uV)", "temperature [°C]", "V2 (adu)"])
def test_what_has_a_unit_of_its_own_is_a_signal_however_evenly_it_counts(head: str) -> None:
    lines = [f"{at / 250},{np.sin(at / 9):.3f},{at % 70}" for at in range(2500)]
    recording = read("\n".join([f"time (s),V1 (mV),{head}", *lines]).encode())
    assert [lead.sampling_rate_hz for lead in recording.leads] == [250.0, 250.0]


@pytest.mark.parametrize("name", ["V2_time_aligned", "ECG (real time)", "II (run time)"])
def test_a_lead_whose_name_speaks_of_time_is_a_lead(name: str) -> None:
    lines = [f"{at / 250},{np.sin(at / 9):.3f},{np.cos(at / 5):.3f}" for at in range(2500)]
    assert len(read("\n".join([f"time,V1,{name}", *lines]).encode()).leads) == 2


@pytest.mark.parametrize("step_s", [60, 3600])
def test_a_row_a_minute_is_no_recording_and_breaks_nothing(step_s: int) -> None:
    lines = [f"{at * step_s},{60 + 9 * np.sin(at / 9):.2f}" for at in range(3000)]
    with pytest.raises(UnusableDataError, match="sampling rate"):
        checked(read("\n".join(["timestamp,value", *lines]).encode()))
