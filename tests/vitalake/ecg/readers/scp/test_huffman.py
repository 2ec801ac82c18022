"""The Huffman codes of SCP-ECG beyond the default table: changes of table, and tables that cannot be."""

from __future__ import annotations

import struct

import pytest

from tests.vitalake.ecg.readers import scp_files as made
from vitalake.ecg.readers.scp.huffman import DEFAULT_TABLE, Decoder, read_tables
from vitalake.errors import UnusableDataError


def decode(rows: list[list[bytes]], bits: str, count: int) -> list[int]:
    """`bits` decoded with the tables of `rows`."""
    content = struct.pack("<H", len(rows)) + b"".join(struct.pack("<H", len(one)) + b"".join(one) for one in rows)
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    values, _ = Decoder(read_tables(content)).decode(data, count)
    return [int(value) for value in values]


def test_the_default_table_is_the_one_of_the_standard() -> None:
    for value, bits in made.DEFAULT_CODES.items():
        code = next(code for code in DEFAULT_TABLE if (code.base_value, code.prefix_bits) == (value, len(bits)))
        assert f"{code.base_code:0{len(bits)}b}"[::-1] == bits
    assert [(code.prefix_bits, code.total_bits) for code in DEFAULT_TABLE[-2:]] == [(10, 18), (10, 26)]
    assert len(DEFAULT_TABLE) == 19


def test_a_code_may_change_the_table() -> None:
    first = [made.row("0", 1, 0), made.row("1", 1, 2, stays=False)]
    second = [made.row("0", 1, 100), made.row("1", 1, 1, stays=False)]
    assert decode([first, second], "01001010", 5) == [0, 100, 100, 0, 100]


def test_a_tail_is_a_signed_number() -> None:
    rows = [made.row("0", 9, 0), made.row("1", 17, 0)]
    assert decode([rows], f"0{0x80:08b}0{0x7F:08b}1{0x8000:016b}1{0x7FFF:016b}", 4) == [-128, 127, -32768, 32767]


def test_a_code_cut_off_by_the_end_is_no_number() -> None:
    assert decode([[made.row("0", 9, 0), made.row("1", 1, 5)]], "11100000", 9) == [5, 5, 5]


def test_a_table_that_only_changes_tables_ends() -> None:
    assert decode([[made.row("0", 1, 1, stays=False)]], "0" * 400_000, 5) == []


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([made.row("0", 1, 0), made.row("01", 2, 1)], "begin with the same bits"),
        ([made.row("0", 40, 0)], "no such number of bits"),
        ([made.row("0", 9, 3)], "both a base value"),
        ([made.row("0", 1, 9, stays=False)], "changes to table 9"),
        ([made.row("1", 1, 0)], "begins no Huffman code"),
        ([made.row("0" * 17, 17, 0)], "17 bits"),
        ([], "a Huffman table of 0 codes"),
    ],
)
def test_impossible_tables_are_refused(rows: list[bytes], why: str) -> None:
    with pytest.raises(UnusableDataError, match=why) as caught:
        decode([rows], "0000", 3)
    assert caught.value.rule == "S02"
