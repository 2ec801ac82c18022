"""HL7 aECG: against regular expressions over the same files, documents made up, hostile XML, and damage."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.ecg.readers import aecg_files as made
from tests.vitalake.ecg.readers.mutations import mutated, soon
from vitalake.ecg.readers.aecg import reader as aecg
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError

FULL = ("Example aECG.xml", "subject1_0.xml")
LEAD = made.lead("MDC_ECG_LEAD_II", "1 2 3")


def read(data: bytes) -> Recording:
    return aecg.read(data, max_samples=10**7)


def one(*sequences: str) -> bytes:
    return made.document([made.series("".join(sequences))])


def refusal(data: bytes, max_samples: int = 10**7) -> UnusableDataError:
    with pytest.raises(UnusableDataError) as caught:
        aecg.read(data, max_samples=max_samples)
    return caught.value


@pytest.mark.parametrize("name", FULL)
def test_regular_expressions_find_the_same_numbers(data_dir: Path, name: str) -> None:
    data = (data_dir / "aecg" / name).read_bytes()
    text = re.sub(r"<!--.*?-->", "", data.decode(), flags=re.DOTALL)
    codes = re.findall(r'<code code="MDC_ECG_LEAD_(\w+)".{0,600}?<digits>', text, flags=re.DOTALL)
    digits = [[int(one) for one in found.split()] for found in re.findall(r"<digits>([^<]*)</digits>", text)]
    recording = read(data)
    assert [lead.name.upper() for lead in recording.leads] == codes
    assert [lead.samples.tolist() for lead in recording.leads] == digits
    assert [len(lead.samples) for lead in recording.leads] == [5000] * 12 + [599] * 12  # rhythm, average beat
    assert [lead.group for lead in recording.leads] == [0] * 12 + [1] * 12
    assert {lead.sampling_rate_hz for lead in recording.leads} == {500.0}
    assert {(lead.gain_adu_per_unit, lead.zero_adu, lead.unit) for lead in recording.leads} == {(400.0, 0.0, "mV")}
    assert recording.started_at == datetime(2002, 11, 22, 9, 10, tzinfo=timezone.utc)
    assert recording.device_model == "Mortara Instrument, Inc. ELI250"
    assert "Clark" not in repr(recording)


@pytest.mark.parametrize("name", FULL)
def test_leads_of_the_real_files_obey_einthoven(data_dir: Path, name: str) -> None:
    leads = {lead.name: lead.values() for lead in read((data_dir / "aecg" / name).read_bytes()).leads[:12]}
    assert np.abs(leads["II"] - leads["I"] - leads["III"]).max() < 0.01
    assert np.abs(leads["aVF"] - (leads["II"] + leads["III"]) / 2).max() < 0.01
    assert all(0.3 < np.ptp(values) < 5 for values in leads.values())


@pytest.mark.parametrize("name", ["minimum_aecg.xml", "minimum_aecg_nouuid.xml"])
def test_the_smallest_document_is_enough(data_dir: Path, name: str) -> None:
    recording = read((data_dir / "aecg" / name).read_bytes())
    assert recording.leads[0].samples.tolist() == [-2, -2, -2, -2, -3, -4, -3, -5, -5, -4, -6, -9, -9]
    assert recording.subject == "SBJ-123"


def test_a_document_without_series_is_refused(data_dir: Path) -> None:
    assert refusal((data_dir / "aecg" / "empty.xml").read_bytes()).rule == "S03"


@given(
    st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=30), min_size=1, max_size=4),
    st.sampled_from((" ", "\n", " \t\r\n ")),
    st.sampled_from(("utf-8", "utf-16", "iso-8859-1", "windows-1252")),
)
@settings(max_examples=100, deadline=None)
def test_what_was_written_comes_back(leads: list[list[int]], space: str, encoding: str) -> None:
    sequences = [made.lead(f"MDC_ECG_LEAD_V{n}", space + space.join(map(str, v))) for n, v in enumerate(leads, 1)]
    data = made.document([made.series(made.ABSOLUTE + "".join(sequences))], encoding=encoding)
    assert aecg.recognises(data)
    recording = read(data)
    assert [lead.samples.tolist() for lead in recording.leads] == leads
    assert [lead.name for lead in recording.leads] == [f"V{n}" for n in range(1, len(leads) + 1)]
    assert all(lead.samples.dtype == np.int32 for lead in recording.leads)


def test_who_when_and_with_what_without_name_or_serial_number() -> None:
    recording = read(one(made.ABSOLUTE, LEAD))
    assert recording.started_at == datetime(2020, 1, 2, 1, 34, 5, 250_000, tzinfo=timezone.utc)
    assert (recording.subject, recording.device_model) == ("P-17", "Maker M1")
    assert not re.search("Canary|SN-1", repr(recording))


@pytest.mark.parametrize(("value", "unit"), [("0.004", "s"), ("4", "ms"), ("4000", "us"), ("4.0e3", "us")])
def test_every_unit_of_time_gives_the_rate(value: str, unit: str) -> None:
    times = made.axis("TIME_RELATIVE", "GLIST_PQ", 'value="0" unit="s"', f'value="{value}" unit="{unit}"')
    assert read(one(times, LEAD)).leads[0].sampling_rate_hz == 250.0


def test_without_a_time_axis_the_rate_is_unknown() -> None:
    assert read(one(LEAD)).leads[0].sampling_rate_hz == 0.0


def test_groups_begin_where_their_time_axes_do() -> None:
    later = made.axis("TIME_ABSOLUTE", "GLIST_TS", 'value="20200102030407.750+0130"', 'value="4" unit="ms"')
    relative = made.axis("TIME_RELATIVE", "GLIST_PQ", 'value="500" unit="ms"', 'value="4" unit="ms"')
    inside = f"<derivation><derivedSeries>{made.series(relative + LEAD)}</derivedSeries></derivation>"
    document = made.document([made.series(made.ABSOLUTE + LEAD, made.ABSOLUTE, later + LEAD, inner=inside)])
    assert [(lead.group, lead.start_offset_s) for lead in read(document).leads] == [(0, 0.0), (1, 2.5), (2, 0.5)]


def test_origin_and_scale_become_gain_and_zero() -> None:
    lead = made.lead("X", "10", origin='<origin value="0.5" unit="mV"/>', scale='<scale value="5" unit="uV"/>')
    found = read(one(lead)).leads[0]
    assert (found.gain_adu_per_unit, found.zero_adu, found.samples.tolist()) == (200.0, -100.0, [10])
    assert found.values().tolist() == [pytest.approx(0.5 + 10 * 0.005)]


def test_numbers_without_a_unit_stay_in_stored_units() -> None:
    lead = made.lead("X", "10 20", kind="SLIST_INT", origin='<origin value="0"/>', scale='<scale value="1"/>')
    recording = read(one(lead))
    assert recording.leads[0].unit == "adu"
    assert [finding.rule for finding in recording.findings] == ["S09"]


def test_a_signal_that_is_no_voltage_keeps_its_unit() -> None:
    lead = made.lead("P", "10", origin="", scale='<scale value="0.5" unit="mm[Hg]"/>')
    found = read(one(lead)).leads[0]
    assert (found.unit, found.values().tolist()) == ("mm[Hg]", [5.0])


@pytest.mark.parametrize(
    "digits", ["1 2 x", "1 2 nan", "1-2", "0x10", "1e", "1 2 1e999", "1 - 2", "1-2 e", "1.2.3 -"]
)
def test_digits_that_are_no_numbers_are_refused(digits: str) -> None:
    assert refusal(one(made.lead("X", digits))).rule == "S04"


def test_fractions_and_large_numbers_become_floats() -> None:
    samples = read(one(made.lead("X", "1.5 -3e10"))).leads[0].samples
    np.testing.assert_array_equal(samples, np.array([1.5, -3e10]), strict=True)


def test_a_lead_without_samples_is_left_out_and_found() -> None:
    recording = read(one(LEAD, made.lead("MDC_ECG_LEAD_III", " ")))
    assert [lead.name for lead in recording.leads] == ["II"]
    assert [finding.rule for finding in recording.findings] == ["S08"]


@pytest.mark.parametrize(
    "hostile",
    [
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE AnnotatedECG SYSTEM "http://localhost/x.dtd">',
        "<!DOCTYPE AnnotatedECG>",
    ],
)
def test_document_types_are_refused(hostile: str) -> None:
    error = refusal(made.document([made.series(LEAD)], before=hostile))
    assert (error.rule, "document type" in error.message) == ("S02", True)


@pytest.mark.parametrize(
    "data",
    [
        b"<AnnotatedECG>" + b"<a>" * 100_000,
        b"<AnnotatedECG>" + b"<a/>" * 300_000 + b"</AnnotatedECG>",
        b"<AnnotatedECG " + b" ".join(b'a%d=""' % n for n in range(1000)) + b"/>",
        b"<AnnotatedECG>&undefined;</AnnotatedECG>",
        b"<AnnotatedECG>",
        b'<?xml version="1.0" encoding="punycode"?><AnnotatedECG/>',
        b'<?xml version="1.0" encoding="utf-8"?><AnnotatedECG>\xff</AnnotatedECG>',
        b"<other><AnnotatedECG/></other>",
    ],
)
def test_broken_and_excessive_xml_is_refused(data: bytes) -> None:
    assert refusal(data).rule == "S02"


def test_more_samples_than_allowed_are_refused() -> None:
    assert refusal(one(LEAD, LEAD), max_samples=5).rule == "S01"
    assert len(aecg.read(one(LEAD, LEAD), max_samples=6).leads) == 2


def test_only_aecg_documents_are_recognised(data_dir: Path) -> None:
    assert all(aecg.recognises(path.read_bytes()) for path in (data_dir / "aecg").iterdir())
    assert not aecg.recognises(b"<svg><!-- no ECG --></svg>")
    assert not aecg.recognises(b"text about <AnnotatedECG> elements")


@given(st.data())
@settings(max_examples=300)
def test_damage_ends_in_a_recording_or_a_refusal(data: st.DataObject) -> None:
    original = one(made.ABSOLUTE, LEAD, made.lead("MDC_ECG_LEAD_AVR", "4 5 6"))
    damaged = data.draw(mutated(original, len(original)))
    try:
        with soon():
            recording = aecg.read(damaged, max_samples=10)
        assert sum(len(lead.samples) for lead in recording.leads) <= 10
    except UnusableDataError as error:
        assert "P-17" not in error.message


@given(st.data())
@settings(max_examples=60)
def test_damage_to_a_real_file_ends_in_a_recording_or_a_refusal(data_dir: Path, data: st.DataObject) -> None:
    damaged = data.draw(mutated((data_dir / "aecg" / "subject1_0.xml").read_bytes(), 30_000))
    try:
        with soon():
            read(damaged)
    except UnusableDataError as error:
        assert "Clark" not in error.message
