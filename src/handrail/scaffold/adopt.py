"""Handrail brought into a repository that is there already: as a branch to review, which only adds.

No file, no index and no branch of the repository is touched: the commit is made in a repository of its own,
in a temporary folder, and is then given to this one, with a name.
"""

from collections.abc import Mapping
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory

from . import answers as rules
from .adopt_page import Adopted, page
from .dependencies import dependencies, described_by
from .errors import UpdateError
from .guesses import Guess, folder_of, guesses, slug_near
from .history import Version
from .merge import (
    Rendering,
    Work,
    git,
    lines,
    names_of,
    own_repository,
    refuse_changed,
    text,
    tree,
    work_in,
)
from .monorepo import joined, lifted, shared_files
from .moves import Layout, moves
from .new import Ask, settled
from .record import NAME, answer_or_nothing, keep_place
from .rendering import rendered
from .repository import GitError, identity
from .source import Source, template_version
from .survey import surveyed
from .update import questions_of, record_of, refuse

BRANCH = "handrail-adopt"
PAGE = "ADOPT.md"


def adopt(
    folder: Path, template: Source, typed: Mapping[str, str], ask: Ask | None = None, branch: str = BRANCH
) -> Adopted:
    """Bring Handrail into the repository that a folder belongs to, as a new branch. Raises UpdateError.

    `typed` are answers; the other questions are asked, with what the files say as the default, or where there
    is no `ask`, answered by that.
    """
    work = opened_to_adopt(folder, branch)
    survey = surveyed(folder)
    with TemporaryDirectory(prefix="handrail-adopt-", ignore_cleanup_errors=True) as temporary:
        place = Path(temporary).resolve()
        version = template_version(template, place)
        questions = questions_of(version)
        guessed = guesses(survey, questions)
        given, remarks = answered(version, questions, guessed, typed, ask)
        project = rendered(version, given, place / "rendered")
        kept = record_of(project)
        answers = {key: kept["answers"][key] for key in questions if key in kept["answers"]}
        where = folder_of(survey, answers["project_slug"]).as_posix()
        beside, additions = around(work, project, f"{work.prefix}{where}")
        layout = Layout(where, answers["project_slug"].replace("-", "_"), names_below(project))
        adopted = Adopted(
            survey=survey,
            layout=layout,
            answers=answers,
            guessed={key: guess for key, guess in guessed.items() if answers.get(key) == guess.answer},
            moves=moves(survey, layout),
            dependencies=dependencies(survey, described_by(project)),
            branch=branch,
            page=f"{where}/{PAGE}" if (folder / PAGE).exists() else PAGE,
            beside=sorted(beside),
            additions=additions,
            hidden=hidden(folder, layout),
            remarks=remarks,
        )
        beside[f"{work.prefix}{adopted.page}"] = page(adopted).encode()
        commit = committed(work, adopted, Rendering(project, beside), place / "branch")
        keep_place(work.top, kept, template.address)
    return replace(adopted, commit=commit)


def names_below(project: Path) -> frozenset[str]:
    """Return the files of a rendering, by name."""
    return frozenset(path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file())


def around(work: Work, project: Path, where: str) -> tuple[dict[str, bytes], dict[str, str]]:
    """Lift a rendering's workflows; return what it has beside its folder, and what people have to add.

    Both by name from the top; an addition to a file that is there is a difference of lines, or a sentence.
    Raises UpdateError where a new file would be one that is there.
    """
    shared = shared_files(project)
    beside = lifted(project, where)
    if there := sorted(name for name in beside if (work.top / name).exists()):
        raise UpdateError(
            f"{there[0]}: is there already, and the project would bring it. "
            "Move it away, or take another project_slug"
        )
    joint, remarks = joined(work.top, shared, where)
    additions = {}
    for name, new in joint.items():
        path = work.top / name
        if path.exists():
            before = path.read_text(encoding="utf-8").splitlines()
            additions[name] = "\n".join(
                line
                for line in unified_diff(before, new.splitlines(), n=1, lineterm="")
                if line[:3] not in ("---", "+++")
            )
        else:
            beside[name] = new.encode()
    for remark in remarks:
        name, _, said = remark.partition(": ")
        additions[name] = said
    return beside, additions


def hidden(folder: Path, layout: Layout) -> dict[str, list[str]]:
    """Return the project's files that an ignore rule would hide, were they new, by the rule."""
    names = [f"{layout.folder}/{name}" for name in sorted(layout.files)]
    try:
        said = git(
            folder, "check-ignore", "--no-index", "--verbose", "--stdin", "-z", given=lines(names, "\0")
        )
    except GitError:  # its status says that there is none
        return {}
    found: dict[str, list[str]] = {}
    fields = iter(text(said).rstrip("\0").split("\0"))
    for file, _, pattern, name in zip(fields, fields, fields, fields, strict=False):
        if not pattern.startswith("!") and not Path(file).is_absolute():
            found.setdefault(f"`{pattern}` in {file}", []).append(name)
    return found


def committed(work: Work, adopted: Adopted, rendering: Rendering, place: Path) -> str:
    """Make the branch, which adds a rendering to what is there; return its commit. Raises UpdateError."""
    try:
        head = text(git(work.top, "rev-parse", "HEAD"))
        own_repository(work, place)
        inside = Work(work.top, f"{work.prefix}{adopted.layout.folder}/")
        made = tree(inside, rendering, place, text(git(place, "rev-parse", f"{head}^{{tree}}")))
        who = identity(
            work.top, *(rules.name_and_mail(adopted.answers["author"]) or ("Handrail", "handrail@localhost"))
        )
        message = f"Adopt Handrail: {adopted.answers['project_name']}"
        commit = text(git(place, "commit-tree", made, "-p", head, "-m", message, options=who))
        new = git(place, "rev-list", "--objects", commit, f"^{head}").decode(errors="replace").splitlines()
        packed = git(
            place,
            "pack-objects",
            "--local",
            "--stdout",
            "-q",
            given=lines((line.split()[0] for line in new), "\n"),
        )
        git(work.top, "unpack-objects", "-q", given=packed, apart=True)
        git(work.top, "update-ref", f"refs/heads/{adopted.branch}", commit, "0" * len(commit), apart=True)
    except GitError as error:
        raise UpdateError(f"the branch could not be made: {error}; nothing was changed") from error
    return commit


def opened_to_adopt(folder: Path, branch: str) -> Work:
    """Return a repository whose work is committed, without a project in it. Raises UpdateError."""
    work = work_in(folder)
    if (folder / NAME).exists():
        raise UpdateError(f"{folder}: is a Handrail project already. To bring it up to date: handrail update")
    try:
        changed = names_of(work.state()[1])
    except GitError as error:
        raise UpdateError(f"{folder}: has no commit yet. First: git add --all, git commit") from error
    refuse_changed(changed)
    refuse([why] if (why := taken(work.top, branch)) else [])
    return work


def taken(top: Path, branch: str) -> str:
    """Return why a branch of that name can't be made, nothing if it can."""
    if not answer_or_nothing(top, "check-ref-format", "--branch", branch):
        return f"{branch}: can't be the name of a branch. Take another: --branch NAME"
    known = answer_or_nothing(top, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").splitlines()
    if branch in known:
        return (
            f"the branch {branch} is there already. Look: git log -p {branch}; "
            f"begin anew: git branch -D {branch}; or take another name: --branch NAME"
        )
    near = [each for each in known if each.startswith(f"{branch}/") or branch.startswith(f"{each}/")]
    return (
        f"{branch}: beside the branch {near[0]}, git has no room for it. Take another: --branch NAME"
        if near
        else ""
    )


def answered(
    template: Version,
    questions: Mapping,
    guessed: Mapping[str, Guess],
    typed: Mapping[str, str],
    ask: Ask | None,
) -> tuple[dict[str, str], list[str]]:
    """Return the answers, and what has to be said of them: typed, asked, or else as the files say.

    Raises UpdateError.
    """
    given = dict(typed)
    if "project_name" in given and "project_slug" not in given:
        given["project_slug"] = slug_near(given["project_name"])
    if not ask:
        given = {key: guess.answer for key, guess in guessed.items()} | given
    asks = as_guessed(ask, guessed) if ask else None
    return settled(template, questions, given, asks, None)


def as_guessed(ask: Ask, guessed: Mapping[str, Guess]) -> Ask:
    """Return the function that asks, with what the files say as the default."""

    def ask_with(key: str, said: str, offered: Mapping[str, str] | str) -> str:
        guess = guessed[key].answer if key in guessed else ""
        if not guess:
            return ask(key, said, offered)
        return ask(key, said, guess if isinstance(offered, str) else {guess: offered[guess], **offered})

    return ask_with
