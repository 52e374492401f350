"""What scoring a table must hold in any project."""

from handrail.compute.duckdb import connect, identifier, parquet, rows, write_parquet
from handrail.contract.row_key import row_key
from handrail.serving.batch import score
from handrail.serving.inference import LiveModel
from handrail.testing.made_up_records import broken_records, made_up_records
from handrail.testing.made_up_tables import table_of
from handrail.testing.requirement import require
from handrail.testing.runs import SmallRun, requested

ROWS = 500
GOOD = 5


def scoring_agrees_with_answers(run: SmallRun) -> None:
    """Rows that are scored together get the predictions that they get one by one."""
    there, key, asked = run.live_copy(), run.project.key, [*run.project.request.model_fields]
    apart, output = run.project.told_apart, there.workspace / "scored.parquet"
    records = run.rows(dict.fromkeys([*asked, key]), ROWS, apart)
    score(there, run.latest(asked, ROWS, apart), "the latest rows", output)
    with connect(there) as connection:
        own = identifier(key) if run.project.has_key else row_key(run.project.contract)
        query = f"SELECT {own} AS key, prediction FROM {parquet(output)}"
        found = {item["key"]: item["prediction"] for item in rows(connection, query)}
    require(len(found) == len(records), f"serve/batch.py: {len(found)} of {len(records)} rows are scored")
    answered = LiveModel(there).answer(requested(run.project, records)).prediction.tolist()
    for record, value in zip(records, answered, strict=True):
        scored = found[record[key]]
        require(
            abs(scored - value) <= 1e-6 * max(1.0, abs(value)),
            f"serve/batch.py: {record[key]}: {scored:.9g} when scored, {value:.9g} when asked for",
        )


def bad_rows_are_kept_with_their_reason(run: SmallRun) -> None:
    """Rows that break the contract are not scored, and each is kept with the reason."""
    there, contract = run.live_copy(), run.project.contract
    broken = [each for each in broken_records(contract) if each.column in run.project.request.model_fields]
    good = made_up_records(contract, len(broken) + GOOD)[-GOOD:]
    records = requested(run.project, [*good, *(each.record for each in broken)])
    source, output = there.workspace / "mixed.parquet", there.workspace / "scored.parquet"
    with connect(there) as connection:
        made_up = table_of(connection, contract, records)
        write_parquet(connection, f"SELECT {', '.join(map(identifier, records[0]))} FROM {made_up}", source)
    scored = score(there, parquet(source), source.name, output)
    require(scored.rows == GOOD, f"serve/batch.py: {scored.rows} rows are scored, {GOOD} keep the contract")
    kept = sum(scored.rejected.values())
    require(kept == len(broken), f"serve/batch.py: {kept} of {len(broken)} bad rows are kept")
    for each in broken:
        said = [reason for reason in scored.rejected if f"{each.column}: " in reason]
        require(bool(said), f"serve/batch.py: {each.column}: a value that is {each.rule} has no reason")


CHECKS = (scoring_agrees_with_answers, bad_rows_are_kept_with_their_reason)
