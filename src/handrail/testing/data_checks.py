"""What the data of any project must hold: contract, raw tables, transformation, data dictionary."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from handrail.compute.duckdb import connect, parquet
from handrail.config.sections import Split
from handrail.contract.dictionary import data_dictionary
from handrail.contract.schema import Record, columns
from handrail.contract.table_check import reasons_by_place
from handrail.etl.reproducibility import ADVICE, differing_columns
from handrail.testing import raw_copies
from handrail.testing.made_up_records import broken_records, made_up_records, records_at_ends
from handrail.testing.made_up_tables import PLACE, table_of
from handrail.testing.raw_copies import Fault
from handrail.testing.requirement import require
from handrail.testing.runs import SmallRun

MADE_UP = 100
REAL = 500
SURPRISE = "a_column_that_no_contract_has"


def contract_says_enough(run: SmallRun) -> None:
    """The contract has a key, a target, and a time if days part the rows, and says enough of each column."""
    contract, project = run.project.contract, run.project
    by_time = isinstance(run.settings.parted, Split)
    require(
        project.time is not None or not by_time,
        "contract.py: no column has the role TIME, and days part the rows: split in project.yaml",
    )
    roles = {project.key, project.target, *([project.time] if project.time else [])}
    require(
        len(roles) == 2 + bool(project.time),
        f"contract.py: key, time and target are {', '.join(sorted(roles))}; each has to be one of its own",
    )
    made_up_records(contract, MADE_UP)


def good_records_are_accepted(run: SmallRun) -> None:
    """Records made up from the contract's rules, at the ends of its ranges too, are accepted."""
    contract = run.project.contract
    good = made_up_records(contract, MADE_UP, seed=1) + records_at_ends(contract, MADE_UP, seed=2)
    for record in good:
        wrong = refused_columns(contract, record)
        require(not wrong, f"contract.py: {', '.join(wrong)}: refused though it keeps the rules: {record}")
    for half in (good[:MADE_UP], good[MADE_UP:]):
        bad = [reason for reason in reasons(run, half) if reason]
        require(not bad, f"contract.py: a record keeps the rules, a table of it does not: {bad[:1]}")


def each_rule_refuses(run: SmallRun) -> None:
    """A value that breaks a rule of the contract is refused for its column, in a record and a table alike."""
    contract = run.project.contract
    broken = list(broken_records(contract))
    found = reasons(run, [each.record for each in broken])
    for each, reason in zip(broken, found, strict=True):
        rule = f"contract.py: {each.column}: a value that is {each.rule}"
        require(refused_columns(contract, each.record) == [each.column], f"{rule} passes in a record")
        named = [part.partition(": ")[0] for part in (reason or "").split("; ")]
        require(each.column in named, f"{rule} passes in a table (it says: {reason})")


def strange_columns_are_refused(run: SmallRun) -> None:
    """A record with a column that the contract does not have, or without one that it needs, is refused."""
    contract = run.project.contract
    (record,) = made_up_records(contract, 1)
    require(
        refused_columns(contract, record | {SURPRISE: 1}) == [SURPRISE],
        "contract.py: a record with a column that the contract does not have is accepted; base it on Record",
    )
    if not run.project.has_key:
        return
    without_key = {name: value for name, value in record.items() if name != run.project.key}
    require(refused_columns(contract, without_key) == [run.project.key], "contract.py: a record needs no key")


def repeated_key_is_kept_once(run: SmallRun) -> None:
    """Of two rows with one key, one is kept, the first in time if they have any; the other has the reason."""
    key = run.project.key
    first, second = made_up_records(run.project.contract, 2)
    found = reasons(run, [first, second | {key: first[key]}])
    expected = [None, f"{key}: repeated"]
    right = found == expected if run.project.time else sorted(found, key=str) == sorted(expected, key=str)
    require(right, f"contract.py: {key}: twice in a table, and it says {found}")


def rows_are_accepted_as_records(run: SmallRun) -> None:
    """Rows of the loaded table keep the contract as single records too: the service takes them."""
    contract = run.project.contract
    for record in run.rows([column.name for column in columns(contract)], REAL):
        wrong = refused_columns(contract, record)
        require(
            not wrong, f"contract.py: {', '.join(wrong)}: {record} is in the table, and refused as a record"
        )


def etl_gives_the_same_table(run: SmallRun) -> None:
    """Loading the same sources twice gives the same table, to the last bit of every column."""
    again = run.etl_elsewhere
    with connect(run.settings) as connection:
        differing = differing_columns(connection, run.project, run.table, parquet(again.path))
    require(
        not differing and again.loaded == run.etl.loaded,
        f"etl/transform.sql: {', '.join(differing) or 'the number of rows'}: not the same when run again; "
        f"{ADVICE}",
    )


def etl_runs_from_any_folder(run: SmallRun) -> None:
    """The sources are read from another working folder too: no path depends on it."""
    require(
        run.etl_elsewhere.raw == run.etl.raw, f"etl/extract.py: {run.etl_elsewhere.raw}, before {run.etl.raw}"
    )


def missing_file_is_named(run: SmallRun) -> None:
    """A raw file that is missing is refused in one sentence with its name; the last good table stays."""
    _refused_by_name(run, raw_copies.MISSING)


def empty_file_is_named(run: SmallRun) -> None:
    """A raw file that is empty is refused in one sentence with its name; the last good table stays."""
    _refused_by_name(run, raw_copies.EMPTY)


def renamed_column_is_named(run: SmallRun) -> None:
    """A raw column of another name is refused in one sentence with the file's; the last good table stays."""
    _refused_by_name(run, raw_copies.RENAMED_COLUMN)


def text_among_amounts_is_named(run: SmallRun) -> None:
    """A text among amounts is refused in one sentence with the file's name; the last good table stays."""
    _refused_by_name(run, raw_copies.TEXT_AMONG_AMOUNTS)


def file_cut_off_is_named(run: SmallRun) -> None:
    """A raw file that ends too early is refused in one sentence with its name; the last good table stays."""
    _refused_by_name(run, raw_copies.CUT_OFF)


def dictionary_names_every_column(run: SmallRun) -> None:
    """The data dictionary has a line for each column, and the committed page is that of the contract."""
    page = data_dictionary(run.project.contract)
    absent = [column.name for column in columns(run.project.contract) if f"| `{column.name}` |" not in page]
    require(not absent, f"contract.py: {', '.join(absent)}: not in the data dictionary")
    committed = run.settings.root / "2-research" / "data-dictionary.md"
    require(
        not committed.is_file() or committed.read_text(encoding="utf-8") == page,
        "2-research/data-dictionary.md: not that of contract.py; run `etl`, and commit it",
    )


CHECKS = (
    contract_says_enough,
    good_records_are_accepted,
    each_rule_refuses,
    strange_columns_are_refused,
    repeated_key_is_kept_once,
    rows_are_accepted_as_records,
    etl_gives_the_same_table,
    etl_runs_from_any_folder,
    missing_file_is_named,
    empty_file_is_named,
    renamed_column_is_named,
    text_among_amounts_is_named,
    file_cut_off_is_named,
    dictionary_names_every_column,
)


def refused_columns(contract: type[Record], record: dict[str, Any]) -> list[str]:
    """Return the columns for which `record` is refused, in their order."""
    try:
        contract.model_validate(record)
    except ValidationError as error:
        return list(dict.fromkeys(str(item["loc"][0]) for item in error.errors()))
    return []


def reasons(run: SmallRun, records: Sequence[dict[str, Any]]) -> list[str | None]:
    """Return what the check of whole tables says of each of `records`; None of a good one."""
    contract = run.project.contract
    with connect(run.settings) as connection:
        table = f"(SELECT * FROM {table_of(connection, contract, records)} ORDER BY {PLACE})"
        return reasons_by_place(connection, table, contract, PLACE, len(records))


def _refused_by_name(run: SmallRun, fault: Fault) -> None:
    found = raw_copies.refusal(run, fault)
    if not found.files:  # none of them can break so
        return
    for file in found.files:
        said = [problem for problem in found.problems if file in problem]
        require(len(said) == 1, f"etl/extract.py: {file}: not refused by its name; said is {found.problems}")
        require("\n" not in said[0], f"etl/extract.py: {file}: refused in more than a sentence: {said[0]}")
    require(not found.changed, f"etl: {', '.join(found.changed)}: changed by a run that was refused")
