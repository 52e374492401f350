"""A project brought to another version of its template, to other answers, or both.

The project is rendered as it was baked and as it is to be; what differs between the two is merged by git into
the team's work, and is left staged, for people to look at and to commit.
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from . import answers as rules
from .errors import UpdateError
from .history import Version, cloned, uncommitted
from .interface import Engine, differences
from .merge import (
    UNDO,
    Change,
    Conflict,
    Pins,
    Rendering,
    Trial,
    Work,
    git,
    opened,
    refuse_uncommitted,
    tried,
)
from .monorepo import LIFTED, joined, lifted, pipeline_reads, shared_files
from .record import NAME, public_address, remember, template_of
from .rendering import align, engine_of, leave_out_wheels, rendered, sources
from .repository import GitError
from .texts import mended

LOCK = "uv.lock"
PINS = "pyproject.toml"
# Asks a question: its name, what is asked, and the choices with what is said of each, or a default text.
Ask = Callable[[str, str, Mapping[str, str] | str], str]


@dataclass(frozen=True)
class Wanted:
    """What is asked of an update: a version, where the template is, other answers; or only to show it."""

    to: str = ""
    template: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False


@dataclass(frozen=True)
class Plan:
    """From which version to which, with which answers, and what has to be said of that.

    `changed`: the answers that differ, each as before and after, empty for none. `defaults`: the questions
    that nobody was asked. `private`: what was baked in another way than the template does by itself.
    """

    old: Version
    new: Version
    answers: dict[str, str]
    changed: dict[str, tuple[str, str]]
    defaults: list[str]
    private: dict[str, str]
    remarks: list[str]


@dataclass(frozen=True)
class Outcome:
    """What an update did, or would do; `calls` are the lines that use the engine as it no longer is.

    `undo` is the command that takes it back.
    """

    plan: Plan
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    undo: str = UNDO


def project_above(folder: Path) -> Path:
    """Return the project that a folder belongs to. Raises UpdateError."""
    for each in (folder, *folder.parents):
        if (each / NAME).is_file():
            return each
    raise UpdateError(f"{folder}: no {NAME} here or above; `cd` into a project made with Handrail")


def update(project: Path, wanted: Wanted, ask: Ask | None = None) -> Outcome:
    """Update a project whose work is committed, and leave what changed staged. Raises UpdateError.

    `ask` asks the questions that are new; without it they take their default, and a remark says so.
    """
    kept, work = record_of(project), opened(project)
    address = address_of(kept, wanted, work)
    with TemporaryDirectory(prefix="handrail-update-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        plan = planned(address, kept, wanted, ask, folder)
        if not plan.changed and plan.new.commit == kept["commit"] and not has_moved(work, kept):
            return Outcome(plan)
        trial = merged(work, kept, plan, folder)
        outcome = Outcome(plan, trial.changes, trial.conflicts, calls(plan, trial.project), trial.undo)
        if wanted.dry_run:
            return outcome
        put_in_place(trial)
        try:
            plan.remarks.extend(renew_lock(trial))
            keep_address(work, kept, address)
        except KeyboardInterrupt:
            plan.remarks.append(f"{LOCK}: stopped before it was renewed. Later: uv lock")
        return outcome


def record_of(project: Path) -> dict:
    """Return what a project keeps of its bake. Raises UpdateError."""
    path = project / NAME
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        wanted = {"template", "version", "commit", "directory", "engine", "answers"}
        if missing := wanted - kept.keys():
            raise ValueError(f"has no {', '.join(sorted(missing))}")
    except (OSError, ValueError, AttributeError) as error:
        raise UpdateError(
            f"{path}: cannot be read: {error}. Take it from git: git checkout -- {NAME}"
        ) from error
    return kept


def address_of(kept: Mapping, wanted: Wanted, work: Work) -> str:
    """Return where the template is: as asked, as recorded, or as this machine knows. Raises UpdateError."""
    known = wanted.template or template_of(kept, work.top)
    if not known:
        raise UpdateError(
            f"{NAME} names no template, as it was on one machine. Say where it is: --template ADDRESS"
        )
    return known


def planned(address: str, kept: Mapping, wanted: Wanted, ask: Ask | None, folder: Path) -> Plan:
    """Clone the template, find both versions, and settle the answers. Raises UpdateError."""
    history = cloned(address, folder / "clone")
    remarks = []
    if kept["commit"]:
        before = history.commit(kept["commit"])
    else:
        before = history.commit(f"v{kept['version']}")
        remarks.append(f"the template's commit is not known: v{kept['version']} was taken for it")
    if kept.get("dirty"):
        remarks.append("the template had uncommitted changes when this was baked: they count as yours")
    if uncommitted(address):
        remarks.append(f"{address}: its uncommitted changes are not taken")
    after = history.commit(wanted.to) if wanted.to else history.newest(before)
    old = history.version(before, folder / "old", kept["directory"])
    new = history.version(after, folder / "new", history.directory or kept["directory"])
    answers, defaults, said = settle(questions_of(new), kept["answers"], wanted.answers, ask)
    changed = compared(kept["answers"], answers)
    return Plan(old, new, answers, changed, defaults, own_index(kept, old), remarks + said)


def own_index(kept: Mapping, old: Version) -> dict[str, str]:
    """Return where the engine is taken from, if that is elsewhere than the template says."""
    key = "_engine_index"
    index = kept.get("engine_index") or ""
    return {} if index == (public_address(questions_of(old).get(key, "")) or "") else {key: index}


def questions_of(template: Version) -> dict:
    """Return what cookiecutter.json holds. Raises UpdateError."""
    path = template.folder / "cookiecutter.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UpdateError(f"template {template}: cookiecutter.json cannot be read: {error}") from error


def settle(
    template: Mapping, kept: Mapping[str, str], typed: Mapping[str, str], ask: Ask | None
) -> tuple[dict[str, str], list[str], list[str]]:
    """Return the answers, the questions that took their default, and what has to be said. Raises UpdateError.

    The answers are the recorded ones, changed by the typed ones; new questions are asked, if there is `ask`.
    """
    questions = rules.questions(template)
    given = (*kept.items(), *((key, mended(answer)) for key, answer in typed.items()))
    known = {key: answer for key, answer in given if key in questions}
    refuse(rules.unknown_questions(questions, typed))
    refuse([*rules.unknown_choices(template, known), *rules.problems(known)])
    settled, defaults, remarks = {}, [], []
    for key, default in questions.items():
        if because := rules.obstacle(template, key, settled):
            settled[key] = rules.NONE
            if key in typed:
                remarks.append(f"{key}={typed[key]} does not apply with {because}: left out")
        elif key in known:
            settled[key] = known[key]
        elif ask and not is_worked_out(default):
            settled[key] = ask(key, *question(template, key, default))
        else:
            settled[key] = default if isinstance(default, str) else default[0]
            defaults.append(key)
    if settled.keys() >= {"stage", "api", "batch"}:
        refuse(rules.use_problems(settled))
    asked = [key for key in questions if not rules.obstacle(template, key, settled)]
    return {key: settled[key] for key in asked if not is_worked_out(settled[key])}, defaults, remarks


def is_worked_out(default: str | list[str]) -> bool:
    """Return whether cookiecutter makes a default of other answers."""
    return isinstance(default, str) and "{{ cookiecutter." in default


def question(template: Mapping, key: str, default: str | list[str]) -> tuple[str, Mapping[str, str] | str]:
    """Return what is asked, and the choices with what is said of each, or the default text."""
    prompts = template.get("__prompts__", {}).get(key, key)
    if isinstance(default, str):
        return str(prompts), default
    words = prompts if isinstance(prompts, dict) else {}
    return words.get("__prompt__", key), {choice: words.get(choice, choice) for choice in default}


def refuse(sentences: list[str]) -> None:
    """Raise UpdateError if there is anything to say."""
    if sentences:
        raise UpdateError("\n".join(sentences))


def compared(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the answers that differ, each as before and after."""
    keys = [*after, *(key for key in before if key not in after)]
    pairs = {key: (before.get(key, ""), after.get(key, "")) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def merged(work: Work, kept: Mapping, plan: Plan, folder: Path) -> Trial:
    """Render both versions, and try the merge.

    Raises UpdateError, also where the update would lose what git does not know of.
    """
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(rendered, plan.old, kept["answers"] | plan.private, folder / "before")
        after = pool.submit(rendered, plan.new, plan.answers | plan.private, folder / "after")
        old, new = before.result(), after.result()
    beside: tuple[Mapping[str, bytes], Mapping[str, bytes]] = ({}, {})
    if kept.get(LIFTED):
        beside = lifted_as(work, kept[LIFTED], old, new)
        work = replace(work, beside=frozenset(beside[0]) | frozenset(beside[1]))
        refuse_uncommitted(work)
        plan.remarks.extend(pipeline_reads(work.top, beside[1]))
    engines = engine_of(work.project), engine_of(new)
    pinned = align(old, work.project, engines[1])
    if not any((work.project / "vendor").glob("*.whl")):
        leave_out_wheels(old, new)
    pins = Pins(pinned, *engines)
    renderings = Rendering(old, beside[0]), Rendering(new, beside[1])
    trial = tried(work, *renderings, pins, f"template {plan.new.number}", folder / "trial")
    refuse(trial.in_the_way())
    return trial


def lifted_as(
    work: Work, before: str, old: Path, new: Path
) -> tuple[Mapping[str, bytes], Mapping[str, bytes]]:
    """Lift both renderings; return what each has beside the project: the new one nothing, at the top.

    There what projects share is the project's own again.
    """
    shared = shared_files(old)
    beside = lifted(old, before)
    if work.prefix:
        return beside, lifted(new, work.prefix.rstrip("/"))
    at_top = {name: text for name, text in shared.items() if not (old / name).exists()}
    joint, _ = joined(old / "nothing", at_top, before)
    return beside | {name: content.encode() for name, content in joint.items()}, {}


def has_moved(work: Work, kept: Mapping) -> bool:
    """Return whether a project is in another folder than the one for which its workflows were lifted."""
    return bool(kept.get(LIFTED)) and kept[LIFTED] != work.prefix.rstrip("/")


def calls(plan: Plan, project: Path) -> list[str]:
    """Return which lines of a project use the old engine in a way that the new one does not know."""
    engines = (Engine(version.folder / "src" / "handrail") for version in (plan.old, plan.new))
    files = {
        path.relative_to(project).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in sources(project)
    }
    return differences(files, *engines)


def put_in_place(trial: Trial) -> None:
    """Write the merge into the project; if that fails, take it back. Raises UpdateError."""
    if trial.work.state() != trial.state:
        raise UpdateError("the project was changed meanwhile: nothing was updated. Again, when it rests")
    try:
        trial.put_in_place()
    except (GitError, OSError) as error:
        with suppress(GitError):
            git(trial.work.top, *shlex.split(trial.undo)[1:], "--quiet", apart=True)
        now = "nothing was changed" if trial.work.state() == trial.state else f"take it back: {trial.undo}"
        raise UpdateError(f"{error}: {now}") from error


def renew_lock(trial: Trial) -> list[str]:
    """Have uv renew uv.lock, if there is one and what it locks has changed; return what has to be said."""
    project = trial.work.project
    if not (project / LOCK).is_file() or PINS not in {name for each in trial.changes for name in each[1:]}:
        in_conflict = any(each.name == PINS for each in trial.conflicts)
        return [f"{LOCK}: is to be renewed when {PINS} is settled: uv lock"] if in_conflict else []
    uv = os.environ.get("UV") or shutil.which("uv")
    why = "there is no uv"
    if uv:
        done = subprocess.run(
            [uv, "lock", "--quiet"], cwd=project, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            with suppress(GitError):  # it may be untracked
                git(project, "add", "--update", "--", LOCK)
            return []
        why = " ".join(done.stderr.split()).removeprefix("error: ")
    return [f"{LOCK}: could not be renewed: {why}. Later: uv lock"]


def keep_address(work: Work, kept: Mapping, address: str) -> None:
    """Keep on this machine where the template was found, where the record cannot say it."""
    if not kept["template"] and not public_address(address) and not work.prefix:
        local = Path(address).expanduser()
        remember(work.top, str(local.resolve()) if local.exists() else address)


def told(outcome: Outcome, dry_run: bool) -> list[str]:
    """Return what an update did, or would do, line by line."""
    plan, moved = outcome.plan, outcome.plan.old.commit != outcome.plan.new.commit
    lines = [f"template {plan.old}" + (f" -> {plan.new}" if moved else ""), *plan.remarks, *answers_of(plan)]
    if not outcome.changes and not outcome.conflicts:
        return [*lines, "There is nothing to update."]
    for each in outcome.changes:
        lines.append(f"  {each.what:8} {each.before + ' -> ' if each.before else ''}{each.name}")
    if outcome.calls:
        lines += ["These lines use the engine as it no longer is:", *(f"  {line}" for line in outcome.calls)]
    if outcome.conflicts:
        lines += ["In conflict:", *(f"  {said(each)}" for each in outcome.conflicts)]
    return [*lines, *next_steps(outcome, dry_run)]


def answers_of(plan: Plan) -> list[str]:
    """Return which answers changed, and which of them are defaults that nobody has looked at."""
    lines = [f"{key}: {before or '-'} -> {after or '-'}" for key, (before, after) in plan.changed.items()]
    if plan.defaults:
        new = " ".join(f"{key}={plan.answers[key]}" for key in plan.defaults if key in plan.answers)
        lines.append(f"New questions took their defaults: {new}. For others, name them in the command")
    return lines


def said(conflict: Conflict) -> str:
    """Return what a conflict is, in a line."""
    where = "" if conflict.marked else ". No lines are marked in it: keep it, change it, or git rm it"
    return f"{conflict.name}: {conflict.why}{where}"


def next_steps(outcome: Outcome, dry_run: bool) -> list[str]:
    """Return the counts, and what can be done now."""
    words = [each.what for each in outcome.changes]
    counts = [(words.count(word), word) for word in ("added", "changed", "removed", "renamed")]
    counts.append((len(outcome.conflicts), "in conflict"))
    total = ", ".join(f"{number} {word}" for number, word in counts if number)
    if dry_run:
        return [f"{total}. This was a dry run: nothing was changed."]
    first = "Settle each file in conflict, then git add it. " if outcome.conflicts else ""
    return [
        f"{total}. All of it is staged, and nothing is committed.",
        f"{first}Look: git diff --cached   Keep: git commit   Take back: {outcome.undo}",
        *(
            f"Then: uv sync, and `etl` once, which loads the table into {to}"
            for _, to in [outcome.plan.changed.get("compute", ("", ""))]
            if to
        ),
    ]
