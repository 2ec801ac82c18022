"""The account of checked files as a person reads it.

Belongs here: its layout on a terminal or in a pipe. Does not belong here: the account (`cli/check/account.py`), the
same as JSON (`cli/check/document.py`), strips and tables as such (`cli/ecg/text.py`, `cli/sql/result_table.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.check.account import Account, CheckedObject, CheckedRefusals, CheckedTable
from cli.check.recordings import has_recordings, judgement
from cli.quarantine.remedies import NOTES, remedy
from vitalake.ecg.quality.rules import QUALITIES
from vitalake.ecg.tables import RECORDINGS
from vitalake.escaping import printable
from vitalake.lake.checks import WAITING

if TYPE_CHECKING:
    from rich.console import Console

    from cli.check.recordings import CheckedRecording

_LISTED = 10  # objects, and reasons of one rule
_DRAWN = 2  # recordings whose curves fit on a screen or two
_OF_THE_STORE = ("source_version", "uploaded_at")
TOGETHER = "Files that make up one recording are checked together: name all of them, or their folder."


def show_account(
    account: Account, recordings: Sequence[CheckedRecording], assumed: Sequence[str], console: Console
) -> None:
    """Everything that is known of the files."""
    _show_objects(list(account.objects.values()), console)
    drawn = has_recordings(account.dataset)  # which say more than their rows
    for each in account.tables.values():
        _show_table(each, console, rows=not drawn, files=len(account.objects))
    if recordings:
        _show_recordings(account, recordings, console)
    rules: dict[str, list[CheckedRefusals]] = {}
    for refusal in account.refusals.values():
        rules.setdefault(refusal.rule, []).append(refusal)
    for rule, refusals in rules.items():
        _show_rule(account, rule, refusals, console)
    if any(each.numbers for each in account.refusals.values()):
        console.print("  A record's number is its line in CSV, its place in JSON.", style="dim")
    for rule, count in account.warnings.items():
        console.print(
            f"\nwarned by {rule}: {count:,} row{'s' * (count != 1)}; {printable(_warning(account, rule))}"
        )
    console.print("\nassumed:")
    for text in assumed:
        console.print(f"  {printable(text)}")
    console.print()
    for text in sums(account):
        console.print(text, style="bold")


def sums(account: Account) -> list[str]:
    """That everything that went in came out, in a line for files and one for records."""
    outcomes = Counter(each.outcome for each in account.objects.values())
    parts = [f"{outcomes[outcome]:,} {outcome}" for outcome in sorted(outcomes)]
    parts += [f"{len(account.failed):,} that cannot be uploaded"] if account.failed else []
    total = len(account.objects) + len(account.failed)
    lines = [f"{total:,} file{'s' * (total != 1)} = {' + '.join(parts)}"]
    if account.records is not None and any(account.records):
        good, bad = account.records
        total = good + bad
        lines.append(f"{total:,} record{'s' * (total != 1)} = {good:,} in the tables + {bad:,} in quarantine")
    return lines


def _show_objects(objects: Sequence[CheckedObject], console: Console) -> None:
    for each in objects[:_LISTED]:
        said: str = each.outcome
        if each.companion_of is not None and not each.refused_whole:
            said = f"part of {each.companion_of.rpartition('/')[2]}"
        elif each.outcome == "read" and not each.rows:
            said = "read, and holds no record"
        name = each.key.rpartition("/")[2]
        where = f"as {printable(each.key)} of {each.partition}"
        console.print(f"{printable(name)}: {printable(said)}, {each.size_bytes:,} bytes, {where}")
    if len(objects) > _LISTED:
        console.print(f"… and {len(objects) - _LISTED:,} more files")


def _show_table(checked: CheckedTable, console: Console, *, rows: bool, files: int) -> None:
    from cli.sql.result_table import show_table

    restricted = " (restricted: it names people)" * checked.table.restricted
    lead = "\n" if rows else ""
    console.print(f"{lead}{checked.table.name}: {checked.rows:,} row{'s' * (checked.rows != 1)}{restricted}")
    if not rows or not checked.rows:
        return
    hidden = {column.name for column in checked.table.columns if column.kind in ("list<int32>", "list<float64>")}
    hidden |= {*_OF_THE_STORE, *(["source_key"] if files == 1 else [])}
    shown = [
        column for column in checked.table.columns if column.name not in hidden and column.name != "record_number"
    ]
    names = [*(["record_number"] if "record_number" in checked.table.names else []), *(each.name for each in shown)]
    console.print("  " + ", ".join(f"{each.name} {each.kind}" for each in shown), style="dim")
    marked = [f"{name} *" if name in checked.pseudonymised else name for name in names]
    first = checked.first.select(names).rename_columns(marked)
    if first.num_rows:
        show_table(first.to_reader(), console, first.num_rows, count=False)
    if more := checked.rows - first.num_rows:
        console.print(f"… and {more:,} more row{'s' * (more != 1)} (--limit)", style="dim")


def _show_recordings(account: Account, recordings: Sequence[CheckedRecording], console: Console) -> None:
    from cli.ecg import text

    for each in recordings:
        item, view = each.item, each.view
        verdict = item.facts["verdict"]
        console.print(f"\n{printable(item.key.rpartition('/')[2])}", style="bold")
        console.print(judgement(item.facts), style=text.STYLES[verdict])
        *facts, shown = view.facts
        for line in facts:
            console.print(printable(line))
        if each.assumed:
            console.print(printable(f"assumed, as the file does not say it: {', '.join(each.assumed)}"))
        if each.subject_id is not None:
            console.print(f"subject {printable(each.subject_id)} *")
        width = max(len(printable(lead["lead_name"])) for lead in each.leads)
        for lead in each.leads:
            said = judgement(lead)
            said += f"  [{', '.join(lead['reasons'])}]" * bool(lead["reasons"])
            console.print(
                f"  {printable(lead['lead_name']):<{width}}  {printable(lead['unit'])}  {said}",
                style=text.STYLES[lead["verdict"]],
            )
        if text.can_draw(console) and len(recordings) <= _DRAWN:
            console.print(printable(shown))
            text.show_strips(view.strips, console)
    if more := account.tables[RECORDINGS.name].rows - len(recordings):
        console.print(f"\n… and {more:,} more recording{'s' * (more != 1)}")
    if sum(account.verdicts.values()) > 1:
        counted = ", ".join(f"{account.verdicts[name]:,} {name}" for name in QUALITIES if account.verdicts[name])
        console.print(f"\nverdicts: {counted}")
    if any(each.item.facts["reasons"] for each in recordings):
        console.print("docs/rules.md explains the rules in brackets.", style="dim")
    if text.can_draw(console) and len(recordings) > _DRAWN:
        console.print("Check one recording alone to see its leads drawn.", style="dim")


def _show_rule(account: Account, rule: str, refusals: Sequence[CheckedRefusals], console: Console) -> None:
    """What one rule refuses, and what to do about it."""
    told = remedy(account.dataset, rule, uploaded=False)
    console.print(f"\nrefused by {rule}: {printable(told.meaning)}", style="bold")
    for each in refusals[:_LISTED]:
        console.print(f"  {printable(each.key.rpartition('/')[2])}, {_where(each)}: {printable(each.message)}")
        for text in each.texts:
            if text is not None:
                console.print(f"    {printable(text)}")
    if len(refusals) > _LISTED:
        more = sum(each.records for each in refusals[_LISTED:])
        console.print(f"  … and {more:,} more by this rule")
    console.print(f"  to do: {printable(told.fix)}" + f" {TOGETHER}" * (rule == WAITING))


def _where(refusal: CheckedRefusals) -> str:
    if refusal.whole:
        return "the whole file" if refusal.records == 1 else f"the whole file, {refusal.records:,} records"
    if refusal.records == 1:
        return f"record {refusal.numbers[0]:,}"
    named = ", ".join(f"{number:,}" for number in refusal.numbers)
    more = refusal.records - len(refusal.numbers)
    return f"records {named}" + (f" and {more:,} more" if more else "")


def _warning(account: Account, rule: str) -> str:
    """What a rule that only warns says."""
    own = {each.id: each.message for each in account.dataset.rules}
    return own.get(rule) or NOTES.get(rule, "docs/rules.md says what it looks at")
