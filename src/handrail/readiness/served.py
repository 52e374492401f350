"""Looks at what was served: are its inputs as agreed, as in training, and is it still good and young?"""

from datetime import date

from handrail.compute.duckdb import Connection, connect, identifier, parquet, row, rows
from handrail.config.sections import Live, Shares
from handrail.contract.schema import Role, of_role
from handrail.contract.table_check import check
from handrail.errors import ProjectError
from handrail.etl.load import table_path
from handrail.monitoring.monitoring_run import choose_window, run_monitoring
from handrail.monitoring.outcomes import count_rejected, join_outcomes
from handrail.monitoring.reproduce import reproduce_predictions
from handrail.readiness.context import ReadinessContext
from handrail.registry.versions import learnt_before, load_version
from handrail.training.known_outcomes import DAY
from handrail.training.retraining import newest_end


def inputs_hold(context: ReadinessContext) -> str:
    """Check what was asked in the last 30 days against the contract, and count what was refused."""
    limit = context.settings.section(Live).maximum_violation_share
    with connect(context.settings) as connection:
        source, start, end = _window(connection, context)
        check(connection, source, context.settings.project.request)
        query = (
            "SELECT reason, count(*) AS n FROM checked WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 2 DESC"
        )
        broken = rows(connection, query)
        count = row(connection, "SELECT count(*) AS n FROM checked")["n"]
        refused = count_rejected(connection, context.settings, start, end)
    if broken:
        raise ProjectError(
            f"data/predictions/: {item['n']:,} records were answered though {item['reason']}"
            for item in broken
        )
    share = refused / (count + refused)
    if share > limit:
        raise ProjectError(
            f"{share:.1%} of what was asked was refused, at most {limit:.1%} may; see data/rejected/"
        )
    kept = f"{count:,} records asked from {start} to {end} keep the contract"
    return f"{kept}; {refused:,} were refused ({share:.2%})"


def not_skewed(context: ReadinessContext) -> str:
    """Predict what was served again by the batch's path, and compare its features with those of the table."""
    with connect(context.settings) as connection:
        source, start, end = _window(connection, context)
        names = [item["version"] for item in rows(connection, f"SELECT DISTINCT version FROM {source}")]
        found = [
            reproduce_predictions(connection, source, load_version(context.settings, name)) for name in names
        ]
        differing = _differing(connection, context, source)
    off = [
        f"{item.others:,} of {item.predictions:,} predictions of {item.version} do not come out again, "
        f"off by up to {item.furthest:.3g}; `replay` shows more"
        for item in found
        if item.others
    ]
    if off or differing:
        raise ProjectError([*off, *differing])
    count = sum(item.predictions for item in found)
    return f"{count:,} predictions from {start} to {end} come out again; what was asked is what the table has"


def quality_holds(context: ReadinessContext) -> str:
    """Compare the metrics of the last 30 days that have outcomes with `live.expected`."""
    seen = run_monitoring(context.settings, today=context.today)
    start, end = seen.start, seen.end
    expected = context.settings.section(Live).expected
    readings = [reading for reading in seen.readings if reading.name in expected]
    unknown = [reading.name for reading in readings if reading.state == "unknown"]
    if unknown or not readings:
        raise ProjectError(
            f"{', '.join(unknown) or 'no metric'}: not known from {start} to {end}, "
            f"with {seen.outcomes:,} outcomes; load newer ones with `etl`"
        )
    said = [f"{r.name} {r.value:.3f}, agreed were {r.low:g} to {r.high:g}" for r in readings]
    of = f"{seen.version}, from {start} to {end}"
    if seen.version != context.version.name:
        of += f" (of {context.version.name}, which is live, too few outcomes are known)"
    if any(reading.state == "alert" for reading in readings):
        raise ProjectError(f"{of}: {'; '.join(said)}; see 4-operation/runbook.md")
    return f"{of}: {'; '.join(said)}"


def young_enough(context: ReadinessContext) -> str:
    """Compare the age of the model today with what was agreed."""
    settings, today = context.settings, context.today
    learnt, most = learnt_before(settings, context.version), settings.section(Live).maximum_age_days
    age = (today + DAY - learnt).days
    found = f"{age} day{'s' if age != 1 else ''} old on {today}, at most {most} were agreed"
    if age <= most:
        return found
    if isinstance(context.split, Shares):  # no day parts the rows: it learns from all that is loaded
        raise ProjectError(f"{found}; `retrain` learns from what is new")
    until = newest_end(settings, today)
    newer = until and until > learnt and (today + DAY - until).days <= most
    advice = f"`retrain --until {until}`" if newer else "load newer outcomes with `etl` first"
    raise ProjectError(f"{found}; {advice}")


def _window(connection: Connection, context: ReadinessContext) -> tuple[str, date, date]:
    """Return the predictions of the last 30 days as a FROM item, and their window; refuse without any."""
    start, end = choose_window(connection, context.settings, None, None, context.today)
    return join_outcomes(connection, context.settings, (start, end), today=context.today), start, end


def _differing(connection: Connection, context: ReadinessContext, source: str) -> list[str]:
    """Return a sentence for each feature that was another when it was asked than in the table, by key."""
    project = context.settings.project
    table = table_path(context.settings, project.table_name)
    if not table.is_file():
        return []
    names = [column.name for column in of_role(project.contract, Role.FEATURE)]
    counts = ", ".join(
        f"count_if(s.{name} IS DISTINCT FROM t.{name}) AS {name}" for name in map(identifier, names)
    )
    key = identifier(project.key)
    joined = f"{source} AS s JOIN {parquet(table)} AS t ON s.{key} = t.{key}"
    found = row(connection, f"SELECT count(*) AS _joined, {counts} FROM {joined}")
    allowed = context.settings.section(Live).maximum_violation_share * found["_joined"]
    return [
        f"{name}: in {found[name]:,} of {found['_joined']:,} records not what the table has; what asks and "
        "the table take it from different places"
        for name in names
        if found[name] > allowed
    ]
