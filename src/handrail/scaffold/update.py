"""A project brought to another version of its template, to other answers, or both.

The project is rendered as it was baked and as it is to be; what differs between the two is merged by git into
the team's work, and is left staged, for people to look at and to commit.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from . import answers as rules
from .history import History, Version, cloned, uncommitted
from .interface import Engine, differences
from .merge import UNDO, Change, Conflict, Trial, Work, git, opened, text, tried
from .record import NAME, public_address
from .refusal import Refusal
from .rendering import align, leave_out_wheels, rendered, sources
from .repository import GitError

# Where a project's template is, in the settings of git that stay on this machine.
REMEMBERED = "handrail.template"
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
class Outcome:
    """What an update did, or would do. `answers` are those that differ: before and after, empty for none."""

    old: str
    new: str
    answers: Mapping[str, tuple[str, str]]
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Settled:
    """The answers for the new rendering, and what has to be said of them."""

    answers: dict[str, str]
    remarks: list[str]


def project_above(folder: Path) -> Path:
    """Return the project that a folder belongs to. Raises Refusal."""
    for each in (folder, *folder.parents):
        if (each / NAME).is_file():
            return each
    raise Refusal(f"{folder}: no {NAME} here or above. Go into a project made with Handrail: cd")


def update(project: Path, wanted: Wanted, ask: Ask | None = None) -> Outcome:
    """Update a project whose work is committed, and leave what changed staged. Raises Refusal.

    `ask` asks the questions that are new; without it they take their default, and a remark says so.
    """
    kept, work = record_of(project), opened(project)
    address = address_of(kept, wanted, work)
    with TemporaryDirectory(prefix="handrail-update-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        history = cloned(address, folder / "clone")
        old, new, remarks = versions(history, kept, wanted, folder)
        if uncommitted(address):
            remarks.append(f"{address}: its changes that are not committed are not taken")
        settled = settle(questions_of(new), kept["answers"], wanted.answers, ask)
        remarks += settled.remarks
        changed = compared(kept["answers"], settled.answers)
        if not changed and new.commit == kept["commit"]:
            return Outcome(str(old), str(new), {}, remarks=remarks)
        trial = merged(work, (old, kept["answers"]), (new, settled.answers), folder)
        engines = Engine(old.folder / "src" / "handrail"), Engine(new.folder / "src" / "handrail")
        files = {
            path.relative_to(trial.project).as_posix(): path.read_text(encoding="utf-8", errors="replace")
            for path in sources(trial.project)
        }
        outcome = Outcome(
            str(old),
            str(new),
            changed,
            trial.changes,
            trial.conflicts,
            differences(files, *engines),
            remarks,
        )
        if not wanted.dry_run:
            put_in_place(trial)
            remarks += renew_lock(trial)
            remember(work, kept, wanted)
        return outcome


def record_of(project: Path) -> dict:
    """Return what a project keeps of its bake. Raises Refusal."""
    path = project / NAME
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        wanted = {"template", "version", "commit", "directory", "engine", "answers"}
        if missing := wanted - kept.keys():
            raise ValueError(f"has no {', '.join(sorted(missing))}")
    except (OSError, ValueError, AttributeError) as error:
        raise Refusal(f"{path}: cannot be read: {error}. Take it from git: git checkout -- {NAME}") from error
    return kept


def address_of(kept: Mapping, wanted: Wanted, work: Work) -> str:
    """Return where the template is: as asked, as recorded, or as this machine knows. Raises Refusal."""
    known = wanted.template or kept["template"]
    if not known:
        with suppress(GitError):
            known = text(git(work.top, "config", REMEMBERED))
    if not known:
        raise Refusal(
            f"{NAME} names no template, as it was on one machine. Say where it is: --template ADDRESS"
        )
    return known


def versions(
    history: History, kept: Mapping, wanted: Wanted, folder: Path
) -> tuple[Version, Version, list[str]]:
    """Return the version a project was baked from, the one it goes to, and what is to be said of the first."""
    remarks = []
    if kept["commit"]:
        before = history.commit(kept["commit"])
    else:
        before = history.commit(f"v{kept['version']}")
        remarks.append(f"the template's commit is not known: v{kept['version']} was taken for it")
    if kept.get("dirty"):
        remarks.append(
            "the template had changes that were not committed when this was baked: they count as yours"
        )
    after = history.commit(wanted.to) if wanted.to else history.newest(before)
    old = history.version(before, folder / "old", kept["directory"])
    return old, history.version(after, folder / "new", history.directory or kept["directory"]), remarks


def questions_of(template: Version) -> dict:
    """Return what cookiecutter.json holds. Raises Refusal."""
    path = template.folder / "cookiecutter.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refusal(f"template {template}: cookiecutter.json cannot be read: {error}") from error


def settle(template: Mapping, kept: Mapping[str, str], typed: Mapping[str, str], ask: Ask | None) -> Settled:
    """Return complete answers, from the recorded and the typed ones, and from people. Raises Refusal."""
    questions = rules.questions(template)
    public = {key: value for key, value in template.items() if key in questions}
    known = {key: answer for key, answer in (*kept.items(), *typed.items()) if key in questions}
    refuse([*rules.unknown_questions(public, typed), *rules.unknown_choices(template, known)])
    refuse(rules.problems(known))
    remarks = [f"{key}={kept[key]}: is no longer asked" for key in kept if key not in questions]
    settled: dict[str, str] = {}
    for key, default in questions.items():
        because = rules.obstacle(template, key, settled)
        if because and key in typed:
            remarks.append(f"{key}={typed[key]} does not apply with {because}: left out")
        if because:
            settled[key] = rules.NONE
        elif key in known:
            settled[key] = known[key]
        else:
            settled[key] = new_answer(template, key, default, ask, remarks)
    asked = (key for key in questions if settled[key] and not rules.obstacle(template, key, settled))
    return Settled({key: settled[key] for key in asked}, remarks)


def new_answer(
    template: Mapping, key: str, default: str | list[str], ask: Ask | None, remarks: list[str]
) -> str:
    """Return the answer to a new question: a person's, else its default, or nothing if that is worked out."""
    prompts = template.get("__prompts__", {}).get(key, key)
    if isinstance(default, str):
        if "{{" in default:
            return ""
        question, choices, answer = str(prompts), default, default
    else:
        words = prompts if isinstance(prompts, dict) else {}
        question, answer = words.get("__prompt__", key), default[0]
        choices = {choice: words.get(choice, choice) for choice in default}
    if ask:
        return ask(key, question, choices)
    remarks.append(
        f"{key}={answer}: is new and took its default. Another: handrail update {key}=…, before you commit"
    )
    return answer


def refuse(sentences: list[str]) -> None:
    """Raise Refusal if there is anything to say."""
    if sentences:
        raise Refusal("\n".join(sentences))


def compared(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the answers that differ, each as before and after."""
    keys = [*after, *(key for key in before if key not in after)]
    pairs = {key: (before.get(key, ""), after.get(key, "")) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def merged(work: Work, old: tuple[Version, Mapping], new: tuple[Version, Mapping], folder: Path) -> Trial:
    """Render both, and try the merge. Raises Refusal, also where the update would lose what git does not know."""
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(rendered, *old, folder / "before")
        after = pool.submit(rendered, *new, folder / "after")
        renderings = before.result(), after.result()
    align(renderings[0], work.project)
    if not any((work.project / "vendor").glob("*.whl")):
        for each in renderings:
            leave_out_wheels(each)
    trial = tried(work, *renderings, f"template {new[0].number}", folder / "trial")
    refuse(trial.in_the_way())
    return trial


def put_in_place(trial: Trial) -> None:
    """Write the merge into the project; if that fails, take it back. Raises Refusal."""
    if trial.work.state() != trial.state:
        raise Refusal("the project was changed meanwhile: nothing was updated. Again, when it rests")
    try:
        trial.put_in_place()
    except (GitError, OSError) as error:
        undone = False
        with suppress(GitError):
            git(trial.work.top, *UNDO.split()[1:], "--quiet", apart=True)
            undone = trial.work.state() == trial.state
        raise Refusal(f"{error}: {'nothing was changed' if undone else f'take it back: {UNDO}'}") from error


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


def remember(work: Work, kept: Mapping, wanted: Wanted) -> None:
    """Keep where the template is, in git's settings on this machine, if the record cannot say it."""
    if wanted.template and not kept["template"] and not public_address(wanted.template) and not work.prefix:
        local = Path(wanted.template).expanduser()
        where = str(local.resolve()) if local.exists() else wanted.template
        with suppress(GitError):
            git(work.top, "config", REMEMBERED, where)


def told(outcome: Outcome, dry_run: bool) -> list[str]:
    """Return what an update did, or would do, line by line."""
    new, changes = outcome.new, outcome.changes
    lines = [f"template {outcome.old}" + (f" -> {new}" if new != outcome.old else "")]
    lines += [f"{key}: {before or '-'} -> {after or '-'}" for key, (before, after) in outcome.answers.items()]
    lines += outcome.remarks
    if not changes and not outcome.conflicts:
        return [*lines, "There is nothing to update."]
    for each in changes:
        lines.append(f"  {each.what:8} {each.before + ' -> ' if each.before else ''}{each.name}")
    if outcome.differences:
        lines += ["The new engine is called in another way:", *(f"  {line}" for line in outcome.differences)]
    if outcome.conflicts:
        lines += ["In conflict:", *(f"  {said(each)}" for each in outcome.conflicts)]
    return [*lines, *next_steps(outcome, dry_run)]


def said(conflict: Conflict) -> str:
    """Return what a conflict is, in a line."""
    where = "" if conflict.marked else ". No lines are marked in it: keep it, change it, or git rm it"
    return f"{conflict.name}: {conflict.why}{where}"


def next_steps(outcome: Outcome, dry_run: bool) -> list[str]:
    """Return the counts, and what can be done now."""
    counts = {word: 0 for word in ("added", "changed", "removed", "renamed")}
    for each in outcome.changes:
        counts[each.what] += 1
    numbers = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    conflicts = f"{len(outcome.conflicts)} in conflict" if outcome.conflicts else ""
    total = ", ".join(part for part in (numbers, conflicts) if part)
    if dry_run:
        return [f"{total}. This was a dry run: nothing was changed."]
    first = "Settle each file in conflict, then git add it. " if outcome.conflicts else ""
    return [
        f"{total}. All of it is staged, and nothing is committed.",
        f"{first}Look: git diff --cached   Keep: git commit   Take back: {UNDO}",
    ]
