"""A retraining from the raw tables to what is live, with nobody beside it: one at a time, whole or not.

Each step leaves what was there before until it is done: the table is built beside the one that everything
reads, and takes its place when the look at the data has accepted it; a version appears when it is complete;
what is live changes last, in one file. So a run that is killed has changed nothing but the steps that it had
ended, no model answers that has not passed all of them, and `monitor` judges none by what was refused.
"""

import json
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from handrail.compute.duckdb import connect
from handrail.config.sections import Retraining as Limits
from handrail.config.sections import Shares, Split
from handrail.config.settings import Settings
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.etl.load import accept, drop, require_table, table_path
from handrail.etl.pipeline import run_etl
from handrail.files import write_whole
from handrail.locks import locked
from handrail.registry.acceptance import BesideLive, agreed_metric, compare_with_live, objections
from handrail.registry.canary import start_canary
from handrail.registry.history import withdrawn
from handrail.registry.live import Live, load_live, make_live
from handrail.registry.versions import Version, learnt_before, load_version, model_folder
from handrail.training.data_acceptance import Examined, Finding, examine
from handrail.training.experiment_log import rounded
from handrail.training.known_outcomes import today_of
from handrail.training.newest_rows import newest_rows
from handrail.training.retraining import newest_end, newest_whole_end
from handrail.training.retraining_log import log_retraining
from handrail.training.run import Training, train
from handrail.training.split_advice import split_until

Verdict = Literal["canary", "live", "kept", "nothing new", "waiting", "withdrawn", "refused", "failed"]
LOCK, SINCE = ".retraining.lock", ".retraining.json"  # in models/: held, and since when


@dataclass(frozen=True)
class Retraining:
    """What a retraining came to.

    live: the version that it was held against · until: the day before which lies all that was learnt; None
    where chance parts the rows, or nothing was learnt · version: the new one, None without
    why: the reasons, of a refusal or else · looked_at: what was found as it should be
    figures: of both versions, on the same rows, by the metric that decides · training: what was made
    not_accepted: where the table lies that was built and refused; None where it is loaded, or was not built
    """

    verdict: Verdict
    live: str | None = None
    until: date | None = None
    version: str | None = None
    why: tuple[str, ...] = ()
    looked_at: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    training: Training | None = field(default=None, repr=False)
    not_accepted: str | None = None

    @property
    def needs_somebody(self) -> bool:
        """Whether a person has to look."""
        return self.verdict in ("refused", "withdrawn")

    def record(self) -> dict[str, Any]:
        """Return everything as plain data."""
        found = asdict(replace(self, training=None))
        del found["training"]
        return found | {"until": str(self.until) if self.until else None}


def run_retraining(settings: Settings, until: date | None, on_step: Callable[[str], None]) -> Retraining:
    """Load the data, train on it, and let the model go live by the section `retraining` of project.yaml.

    `until`: learn from rows before that day; by default, as far as outcomes are known. Each run is a line in
    reports/retraining.jsonl. Raises ProjectError where a step can't be done, or another retraining runs.
    """
    with one_at_a_time(settings):
        try:
            done = _retrain(settings, until, on_step)
        except Exception as error:
            problems = error.problems if isinstance(error, ProjectError) else None
            why = problems or (f"{type(error).__name__}: {error}",)
            with suppress(OSError):  # such as the full disk that it failed by
                log_retraining(settings, Retraining("failed", until=until, why=why).record())
            raise
        log_retraining(settings, done.record())
        return done


@contextmanager
def one_at_a_time(settings: Settings) -> Generator[None]:
    """Let no other retraining run; raises ProjectError where one does, and says since when."""
    since = model_folder(settings) / SINCE
    with locked(since.with_name(LOCK), 0, lambda: _another(since)):
        now = datetime.now(UTC).isoformat(timespec="seconds")
        write_whole(since, json.dumps({"since": now}) + "\n")
        yield


def _another(since: Path) -> str:
    return f"another retraining runs since {_since(since)}; one at a time: try again when it is done"


def _since(path: Path) -> str:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["since"]
    except (OSError, ValueError, KeyError, TypeError):
        return "a moment ago"


def _retrain(settings: Settings, until: date | None, on_step: Callable[[str], None]) -> Retraining:
    _refuse_day(settings, until)
    live, state = load_live(settings)
    begun = Retraining("refused", live=live.name)
    if state.canary:
        said = f"{state.canary.name} is tried as a canary; `promote {state.canary.name}` or `rollback` first"
        return replace(begun, verdict="waiting", why=(said,))
    _refuse_former_contract(settings, live)
    on_step("etl")
    before, built = _state_of_table(settings), settings.with_table(accepted=False)
    drop(settings, settings.project.table_name)  # what an earlier run has left to be looked at
    run_etl(built, on_step)
    split, nothing = _chosen_split(built, until, live)
    if split is None:
        return _nothing_new(settings, begun, nothing)
    begun = replace(begun, until=split.live_from if isinstance(split, Split) else None)
    stopped = _withdrawn_for_the_same(built, split)
    if stopped:
        drop(settings, settings.project.table_name)
        return replace(begun, verdict="withdrawn", why=(stopped,))
    on_step("look at the data")
    found = look_at_data(built, live, split)
    if found is None:
        return _nothing_new(
            settings, replace(begun, until=None), f"{live.name} knows every row that has an outcome"
        )
    begun = replace(begun, looked_at=tuple(each.said for each in found if each.holds))
    against = (*(each.said for each in found if not each.holds), *_moved(settings, before))
    if against:
        return replace(begun, why=against, not_accepted=_shown_table(built))
    accept(settings, settings.project.table_name)
    loaded = _state_of_table(settings)
    training = train(settings, split, on_step)
    return _judged(settings, replace(begun, version=training.version, training=training), state, loaded)


def _nothing_new(settings: Settings, begun: Retraining, why: str) -> Retraining:
    """Leave the table of before: nothing has looked at the one that was built, or is learnt from it."""
    drop(settings, settings.project.table_name)
    return replace(begun, verdict="nothing new", why=(why,))


def _refuse_day(settings: Settings, until: date | None) -> None:
    if until and until > date.today() + timedelta(days=1):
        raise ProjectError(f"--until {until}: lies in the future; what will be known then is not known yet")
    if until and isinstance(settings.parted, Shares):
        raise ProjectError(
            f"--until {until}: project.yaml: split.by: {settings.parted.by}: chance parts the rows, and no "
            "day tells what was known; leave it out"
        )


def _refuse_former_contract(settings: Settings, live: Version) -> None:
    """Refuse where the live version cannot be asked any more: nothing is left to compare with."""
    known = {column.name for column in of_role(settings.project.contract, Role.FEATURE)}
    gone = [name for name in live.encoding.features if name not in known]
    if gone:
        raise ProjectError(
            f"{live.name}: learnt from {', '.join(gone)}, no longer in contract.py, so no model can be held "
            "against it; the first of a new contract is for a person: `train`, then `promote`"
        )


def _chosen_split(settings: Settings, until: date | None, live: Version) -> tuple[Split | Shares | None, str]:
    """Return what is learnt from; None, and why, where there is nothing newer than the live version."""
    if isinstance(settings.parted, Shares):
        return settings.parted, ""
    end = until or newest_whole_end(settings, today_of(settings))
    known = learnt_before(settings, live)
    if end is None:
        return None, "of no newer row is the outcome known, or a period would have no two different ones"
    if end <= known:
        last = f"this run would learn from rows before {end}" if until is None else f"--until is {end}"
        later = _later(settings, end) if until is None else ""
        return None, f"{live.name} has learnt from all before {known}, and {last}{later}"
    return split_until(settings, end), ""


def _withdrawn_for_the_same(settings: Settings, split: Split | Shares) -> str:
    """Return why nothing is tried where a version was taken back that knew all that could be learnt now.

    Whoever withdrew it had a reason that a machine does not know: a person looks, or newer outcomes come.
    """
    if settings.section(Limits).goes_live == "nobody":
        return ""
    for each in reversed(withdrawn(settings)):
        with suppress(ProjectError):  # it is kept no more, or was changed: nobody knows what it knew
            if not _is_newer(settings, split, load_version(settings, each.name)):
                later = _later(settings, split.live_from) if isinstance(split, Split) else ""
                return (
                    f"{each.told}, and this run would learn nothing that it did not know{later}: no machine "
                    f"tries the same again. Look why; `promote {each.name}` by hand, or a run with newer "
                    "outcomes, ends that"
                )
    return ""


def _later(settings: Settings, end: date) -> str:
    """Say up to which day could be learnt, where that is later than `end`."""
    newest = newest_end(settings, today_of(settings))
    if newest is None or newest <= end:
        return ""
    return (
        f" (it learns from rows before {end}, and outcomes are known before {newest}: `retrain --until "
        f"{newest}` learns from them, too)"
    )


def _is_newer(settings: Settings, split: Split | Shares, than: Version) -> bool:
    """Return whether more can be learnt by `split` than a version knows."""
    if isinstance(split, Split):
        return split.live_from > learnt_before(settings, than)
    table = require_table(settings, settings.project.table_name)
    with connect(settings) as connection:
        return newest_rows(connection, settings, table, than, split).count > 0


def look_at_data(settings: Settings, live: Version, split: Split | Shares) -> list[Finding] | None:
    """Return what is found of the loaded data; None where no row with an outcome is new."""
    table = require_table(settings, settings.project.table_name)
    with connect(settings) as connection:
        newest = newest_rows(connection, settings, table, live, split)
        if not newest.count:
            return None
        told = Finding(f"{newest.count:,} rows with an outcome {newest.told} are new to {live.name}")
        return [told, *examine(Examined(settings, live, table, newest))]


def _judged(settings: Settings, made: Retraining, state: Live, loaded: tuple[int, int] | None) -> Retraining:
    """Let the gate decide on a version, and the settings on what it becomes."""
    version = load_version(settings, made.version or "")
    compared = compare_with_live(settings, version)
    if compared is None:
        raise ProjectError(f"{made.live}: nothing can be compared with it; `promote` is for a person")
    made = replace(made, figures=_figures(settings, compared))
    against = (*objections(settings, version, compared), *_moved(settings, loaded))
    if against:
        return replace(made, why=against)
    return _gone_live(settings, replace(made, why=(compared.said,)), state)


def _figures(settings: Settings, compared: BesideLive) -> dict[str, Any]:
    if not compared.measured:
        return {}
    found = compared.figures()
    kept = {name: rounded(found[name]) for name in ("candidate", "live", "gain")}
    return {"metric": agreed_metric(settings), "rows": found["rows"], **kept}


def _gone_live(settings: Settings, made: Retraining, state: Live) -> Retraining:
    limits, name = settings.section(Limits), made.version or ""
    if limits.goes_live == "nobody":
        said = f"`promote {name}` makes it live: retraining.goes_live in project.yaml is nobody"
        return replace(made, verdict="kept", why=(*made.why, said))
    if limits.goes_live == "promotion":
        make_live(settings, name, state)
        return replace(made, verdict="live")
    if state.mode == "fallback":
        said = f"the fallback answers ({state.reason}): `promote {name}` ends that, no canary does"
        return replace(made, why=(*made.why, said))
    start_canary(settings, name, limits.canary_share, state)
    return replace(made, verdict="canary")


def _shown_table(settings: Settings) -> str:
    return settings.shown(table_path(settings, settings.project.table_name))


def _state_of_table(settings: Settings) -> tuple[int, int] | None:
    """Return by what it is seen that the loaded table is another one; None without any."""
    path = table_path(settings, settings.project.table_name)
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else None


def _moved(settings: Settings, loaded: tuple[int, int] | None) -> Iterable[str]:
    if _state_of_table(settings) != loaded:
        yield "the table was loaded anew while it was learnt from; run it again"
