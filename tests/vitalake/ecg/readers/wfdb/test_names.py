"""Grouping by name: the same whatever the order, and as the slow, literal rule says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitalake.ecg.readers.wfdb.names import recordings

NAMES = st.sets(
    st.builds(
        lambda stem, suffix: stem + suffix,
        st.text("10_a.", min_size=1, max_size=5),
        st.sampled_from((".hea", ".dat", ".mat", ".d0", ".edf", "")),
    ),
    max_size=14,
)


def literal(names: set[str]) -> dict[str, str]:
    """The rule word by word: n² comparisons, joining until nothing changes."""

    def goes_on(stem: str, start: str) -> bool:
        return stem.startswith(start) and (stem == start or stem[len(start)] not in "0123456789")

    stems = {name[:-4] for name in names if name.endswith(".hea") and name != ".hea"}
    group = {stem: stem for stem in stems}
    for _ in stems:
        group = {stem: min((group[s] for s in stems if goes_on(stem, s)), key=len) for stem in stems}
    found = {}
    for name in names:
        stem = name[: name.rindex(".")] if "." in name[1:] else name
        if name.endswith(".hea") and name != ".hea":
            found[name] = group[stem]
        elif fitting := [s for s in stems if goes_on(stem, s)]:
            nearest = max(fitting, key=len)
            if not name.endswith(".edf") and (stem == nearest or not name.endswith(".mat")):
                found[name] = group[nearest]
    return found


@pytest.mark.parametrize(
    ("joined", "other"),
    [
        ("100-no-len.hea", "1001.hea"),
        ("100_3chan.hea", "1000.dat"),
        ("100skew.hea", "10.dat"),
        ("100.atr", "200.mat"),
        ("100.dat.gz", "100"[:2]),
        ("100_0001.dat", "A100.dat"),
        ("100_layout.hea", "1009_layout.dat"),
    ],
)
def test_what_goes_on_without_a_digit_belongs_to_the_record(joined: str, other: str) -> None:
    found = recordings(["100.hea", joined, other])
    assert found["100.hea"] == found[joined] == "100"
    assert found.get(other) in (None, other.removesuffix(".hea"))


def test_a_file_goes_with_its_longest_header_and_that_with_the_shortest() -> None:
    names = ["1.hea", "1_2.hea", "1_2_3.dat", "1_23.dat", "1_23.hea", "12.hea", "12_3.mat", "13.dat", ".hea"]
    assert recordings(names) == {
        "1.hea": "1", "1_2.hea": "1", "1_2_3.dat": "1", "1_23.dat": "1", "1_23.hea": "1",
        "12.hea": "12",
    }  # fmt: skip


def test_case_matters_and_a_matrix_without_header_belongs_nowhere() -> None:
    assert recordings(["a.hea", "A.dat", "b.mat", "a.mat"]) == {"a.hea": "a", "a.mat": "a"}


def test_a_stray_header_does_not_bind_recordings_that_need_none() -> None:
    strangers = ["rec_1.mat", "rec_2.mat", "rec.edf", "rec_3.DCM", "rec.csv", "rec (1).xml"]
    assert recordings(["rec.hea", "rec.dat", *strangers]) == {"rec.hea": "rec", "rec.dat": "rec"}


@given(NAMES)
@settings(max_examples=500, deadline=None)
def test_the_sorted_scan_is_the_literal_rule_in_any_order(names: set[str]) -> None:
    assert recordings(names) == literal(names) == recordings(sorted(names, reverse=True))


@given(NAMES)
@settings(deadline=None)
def test_own_files_are_in_the_group_and_unrelated_ones_change_nothing(names: set[str]) -> None:
    stems = [name[:-4] for name in names if name.endswith(".hea") and name != ".hea"]
    before = recordings(names)
    after = recordings([*names, *(stem + end for stem in stems for end in (".dat", ".mat")), "z.hea", "z9.dat"])
    assert all(after[stem + end] == before[stem + ".hea"] for stem in stems for end in (".dat", ".mat"))
    assert {name: after.get(name) for name in names} == {name: before.get(name) for name in names}


def test_time_grows_as_sorting_does() -> None:
    """Ten times the names, in the worst arrangement, in far less than a hundred times the time."""

    def cpu_seconds(count: int) -> float:
        chain = [f"{'a' * (at % 500)}{at // 500}{end}" for at in range(count // 2) for end in (".hea", ".dat")]
        start = time.process_time()  # what other processes do meanwhile does not count
        recordings(chain)
        return time.process_time() - start

    assert min(cpu_seconds(100_000) for _ in range(3)) < 40 * min(cpu_seconds(10_000) for _ in range(10))
