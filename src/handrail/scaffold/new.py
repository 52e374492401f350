"""A new project: asked, baked by cookiecutter, and put in its place when it is whole.

It is made elsewhere first, so what stops that leaves nothing behind. What is put in place is what
cookiecutter makes of the same answers, byte for byte; inside a larger repository its workflows are lifted.
"""

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from . import answers as rules
from .errors import UpdateError
from .history import Version
from .merge import git, text, undisturbed
from .monorepo import joined, lifted, shared_files
from .record import NAME, keep_place
from .rendering import rendered
from .repository import GitError, first_commit, is_inside_work_tree
from .sizes import Weight, completed, effects, weight
from .source import Source, template_version
from .texts import mended
from .update import is_worked_out, question, questions_of, record_of, refuse

# Asks a question: its name, what is asked, and the choices with what is said of each, or a default text.
Ask = Callable[[str, str, Mapping[str, str] | str], str]
SLUG, PROJECT_NAME, AUTHOR = "project_slug", "project_name", "author"


@dataclass(frozen=True)
class Place:
    """Where a project goes: its folder, None as long as only its slug will say that.

    `top` is the repository that it is to be one project of, and `inside` its way there, as `services/churn`.
    """

    folder: Path | None = None
    top: Path | None = None
    inside: str = ""


@dataclass(frozen=True)
class Made:
    """What was made: where, of which template, with which answers, and what has to be said of it.

    `weights`: what each answer adds, in words, by question. `beside`: the files at the top of the repository.
    """

    place: Place
    template: Version
    slug: str
    answers: Mapping[str, str]
    weight: Weight
    weights: Mapping[str, str]
    beside: tuple[str, ...] = ()
    remarks: list[str] = field(default_factory=list)


def new(folder: Path | None, source: Source, given: Mapping[str, str], ask: Ask | None = None) -> Made:
    """Make a project in a folder, by default one in the working folder that is called like the project.

    `given` are answers; the other questions are asked, or take their default where there is no `ask`.
    Raises UpdateError, with nothing made.
    """
    place = located(folder) if folder else Place()
    with TemporaryDirectory(prefix="handrail-new-", ignore_cleanup_errors=True) as temporary:
        workshop = Path(temporary).resolve()
        template = template_version(source, workshop)
        questions = questions_of(template)
        answers, remarks = settled(template, questions, given, ask, place.folder)
        project = rendered(template, answers, workshop / "baked")
        slug = project.name
        place = place if place.folder else located(Path.cwd() / slug)
        complete = completed(questions, record_of(project)["answers"])
        made = Made(
            place=place,
            template=template,
            slug=slug,
            answers=complete,
            weight=weight(template.folder, questions, complete),
            weights={
                key: effects(template.folder, questions, complete, key)[complete[key]]
                for key in rules.choices(questions)
                if not rules.obstacle(questions, key, complete)
            },
            remarks=remarks,
        )
        if place.inside:
            return in_repository(made, project, source)
        put_in_place(project, target(place), {}, place)
        made.remarks.extend(committed(made, source))
    return made


def located(folder: Path) -> Place:
    """Return where a project goes. Raises UpdateError where it can't go there."""
    folder = folder.expanduser().absolute()
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UpdateError(f"{folder}: is no folder. Take another name")
    folder = folder.resolve()
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if held - {".git"}:
        raise UpdateError(
            f"{folder}: holds files already. To bring Handrail to them: handrail adopt {folder}"
        )
    for above in folder.parents:
        if (above / NAME).is_file():
            raise UpdateError(f"{folder}: is inside the project {above}. Make it beside that: {above.parent}")
    if held or not is_inside_work_tree(folder):
        return Place(folder)
    there = next(each for each in folder.parents if each.is_dir())
    try:
        top = Path(text(git(there, "rev-parse", "--show-toplevel"))).resolve()
        with suppress(GitError):  # its status says that the folder is not ignored
            git(there, "check-ignore", "--quiet", "--", str(folder))
            return Place(folder)
    except GitError as error:
        raise UpdateError(f"{there}: {error}") from error
    return Place(folder, top, folder.relative_to(top).as_posix())


def target(place: Place) -> Path:
    """Return the folder of a place that is known."""
    if place.folder is None:
        raise ValueError("the place is not known yet")
    return place.folder


def answers_in(path: Path) -> dict[str, str]:
    """Return the answers of a YAML or JSON file, or of another project's record. Raises UpdateError."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8-sig"), yaml.BaseLoader)  # noqa: S506 - texts only
    except OSError as error:
        raise UpdateError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise UpdateError(f"{path}: is no text in UTF-8: {error}") from error
    except yaml.YAMLError as error:
        raise UpdateError(f"{path}: is neither YAML nor JSON: {' '.join(str(error).split())}") from error
    if isinstance(found, dict) and isinstance(found.get("answers"), dict):
        found = found["answers"]
    if not isinstance(found, dict):
        raise UpdateError(f"{path}: holds no answers. Write a line for each, as stage: research")
    refuse([f"{path}: {key}: write one text" for key, answer in found.items() if not isinstance(answer, str)])
    return found


def settled(
    template: Version, questions: Mapping, given: Mapping[str, str], ask: Ask | None, folder: Path | None
) -> tuple[dict[str, str], list[str]]:
    """Return the answers that are handed to cookiecutter, and what has to be said. Raises UpdateError."""
    known = {key: mended(answer) for key, answer in given.items()}
    refuse(rules.unknown_questions(rules.questions(questions), known))
    found, remarks = {}, []
    suggested = suggestions(folder) | known
    refuse([*rules.unknown_choices(questions, known), *rules.problems(suggested if not ask else known)])
    for key, default in rules.questions(questions).items():
        if because := rules.obstacle(questions, key, found):
            found[key] = rules.NONE
            if known.get(key, rules.NONE) != rules.NONE:
                remarks.append(f"{key}={known[key]} does not apply with {because}: left out")
        elif key in known:
            found[key] = known[key]
        elif ask:
            found[key] = asked(template, questions, key, {**known, **found}, ask, folder)
        elif key in suggested:
            found[key] = suggested[key]
        elif not is_worked_out(default):
            found[key] = default if isinstance(default, str) else default[0]
    refuse(rules.use_problems(found))
    return {
        key: answer for key, answer in found.items() if not is_none_unasked(questions, key, answer)
    }, remarks


def is_none_unasked(questions: Mapping, key: str, answer: str) -> bool:
    """Return whether an answer is the none of a question that has no such choice: it does not apply."""
    return answer == rules.NONE and rules.NONE not in rules.choices(questions).get(key, [rules.NONE])


def suggestions(folder: Path | None) -> dict[str, str]:
    """Return what a folder's name says of the project's: name and slug."""
    if folder is None:
        return {}
    slug = rules.suggestion(folder.name)
    words = slug.replace("-", " ")
    return {PROJECT_NAME: words[:1].upper() + words[1:], SLUG: slug}


def asked(
    template: Version, questions: Mapping, key: str, known: Mapping[str, str], ask: Ask, folder: Path | None
) -> str:
    """Ask a question until its answer is sound; return that."""
    said, offered = question(questions, key, questions[key])
    if isinstance(offered, Mapping):
        added = effects(template.folder, questions, known, key)
        offered = {
            choice: words + (f" [adds {added[choice]}]" if added[choice] else "")
            for choice, words in offered.items()
        }
        return ask(key, said, offered)
    default = suggestions(folder).get(key, offered)
    if is_worked_out(default):
        default = rules.suggestion(known[PROJECT_NAME])
    if key == AUTHOR:
        default = author_known_to_git() or default
    while True:
        answer = mended(ask(key, said, default))
        found = rules.problems({key: answer})
        if not found:
            return answer
        said = " ".join(found)


def author_known_to_git() -> str:
    """Return who works here, as `Name <mail@address>`, where git knows it."""
    try:
        name, mail = (text(git(Path.cwd(), "config", f"user.{each}")) for each in ("name", "email"))
    except GitError:
        return ""
    author = f"{name} <{mail}>"
    return "" if rules.problems({AUTHOR: author}) else author


def in_repository(made: Made, project: Path, source: Source) -> Made:
    """Make the project one of several in a repository, staged there. Raises UpdateError."""
    place = made.place
    folder, top = target(place), place.top or Path()
    shared, remarks = joined(top, shared_files(project), place.inside)
    beside = lifted(project, place.inside)
    for name, content in beside.items():
        if (top / name).exists() and (top / name).read_bytes() != content:
            raise UpdateError(f"{top / name}: is there already. Move it away, or take another folder")
    written = beside | {name: content.encode() for name, content in shared.items()}
    put_in_place(project, folder, written, place)
    try:
        git(top, "add", "--force", "--", place.inside, *written, options=("--literal-pathspecs",))
    except GitError as error:
        remarks.append(
            f"{error}: nothing is staged. Later: git add --force {place.inside} {' '.join(written)}"
        )
    keep_place(top, record_of(folder), source.address)
    return replace(made, beside=tuple(sorted(written)), remarks=[*made.remarks, *remarks])


def put_in_place(project: Path, folder: Path, beside: Mapping[str, bytes], place: Place) -> None:
    """Write what is beside the project, then the project, or nothing of both. Raises UpdateError."""
    before = {place.top / name: held(place.top / name) for name in beside} if place.top else {}
    there = next(each for each in folder.parents if each.is_dir())
    ways = {each for path in (folder, *before) for each in (path, *path.parents) if not each.exists()}
    made = sorted(ways, key=lambda each: len(each.parts), reverse=True)
    staged = there / f".{folder.name}.handrail-new"
    moved: list[Path] = []
    with undisturbed():
        try:
            shutil.rmtree(staged, ignore_errors=True)  # of a run that was killed
            shutil.copytree(project, staged, symlinks=True)
            for path, content in zip(before, beside.values(), strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            folder.parent.mkdir(parents=True, exist_ok=True)
            if not folder.exists():
                staged.rename(folder)
                return
            for path in sorted(staged.iterdir()):
                path.rename(folder / path.name)
                moved.append(folder / path.name)
            staged.rmdir()
        except OSError as error:
            take_away([*moved, staged], before, made)
            what = f"{error.filename or folder}: {error.strerror or error}"
            raise UpdateError(f"{what}. No project was made") from error


def held(path: Path) -> bytes | None:
    """Return what is in a file, or None if there is none."""
    return path.read_bytes() if path.is_file() else None


def take_away(paths: list[Path], before: Mapping[Path, bytes | None], made: list[Path]) -> None:
    """Remove what was written so far, and put back what was there before."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    for path, content in before.items():
        with suppress(OSError):
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
    for folder in made:
        with suppress(OSError):
            folder.rmdir()


def committed(made: Made, source: Source) -> list[str]:
    """Make the first commit, as cookiecutter's hook does; return what has to be said of it."""
    folder = target(made.place)
    author = rules.name_and_mail(made.answers[AUTHOR]) or ("", "")
    remark = first_commit(folder, f"Bake {made.slug} with Handrail", *author)
    if (folder / ".git").exists():
        keep_place(folder, record_of(folder), source.address)
    return [remark] if remark else []


def told(made: Made) -> list[str]:
    """Return what was made, line by line."""
    space = f", about {made.weight.megabytes:.0f} MB once installed" if made.weight.megabytes else ""
    lines = [f"template {made.template}" if made.template.commit else f"template {made.template.number}"]
    width = max(len(f"{key}={made.answers[key]}") for key in made.weights)
    for key, added in made.weights.items():
        lines.append(f"  {f'{key}={made.answers[key]}':{width}}  {f'adds {added}' if added else ''}".rstrip())
    lines += [f"{made.slug}: {made.weight.files} files{space}", *made.remarks]
    if made.place.inside:
        lines += [f"At the top of {made.place.top}:", *(f"  {name}" for name in made.beside)]
        lines.append("All of it is staged, and nothing is committed: git commit")
    return lines


def next_steps(made: Made) -> list[str]:
    """Return the commands that come next."""
    folder = target(made.place)
    first = "status" if made.answers["stage"] == "discovery" else "demo"
    here = Path.cwd()
    steps = [] if folder == here else [f"cd {folder.relative_to(here) if here in folder.parents else folder}"]
    return [*steps, f"uv run {made.slug} {first}", "uv run pytest"]
