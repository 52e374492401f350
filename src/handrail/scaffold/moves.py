"""What goes where: for each file of a repository its place in the layout, and what is to be done with it.

A rule looks at a file's name, folder and code. What no rule knows stays where it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import PurePosixPath

from .survey import (
    MODELS,
    SHOWN,
    File,
    Survey,
    is_data,
    is_notebook,
    is_only_words,
    is_test,
    made_anew,
)

# The steps of a move, in their order, each with its heading.
STEPS = {
    "discovery": "What it is for",
    "data": "The data, and how one table is made of it",
    "research": "Notebooks and figures",
    "model": "Features, model, metrics",
    "production": "What answers and runs",
    "tests": "Tests",
    "last": "What goes, once nothing needs it any more",
    "stays": "What stays as it is",
}
# Which answers bring the place of a target, by how its name in the project begins.
BROUGHT_BY = {
    "src/{package}/serve/api.py": "stage=production api=fastapi",
    "src/{package}/serve/": "stage=production batch=batch",
    "src/{package}/dashboard/": "stage=operation dashboard=streamlit",
    "src/{package}/monitor/": "stage=operation",
    "src/{package}/": "stage=research",
    "2-research/notebooks/": "stage=research notebooks=jupyter",
    "2-research/": "stage=research",
    "3-production/": "stage=production",
    "4-operation/": "stage=operation",
    "dags/": "stage=production scheduler=airflow",
}
STAGES = {
    "stage=research": "2-research",
    "stage=production": "3-production",
    "stage=operation": "4-operation",
}
WHERE_HINTS_GO = {
    "reads": "etl/extract.py",
    "joins": "etl/transform.sql",
    "encodes": "model/features.py",
    "splits": "`split` of project.yaml",
    "fits": "model/estimator.py",
    "measures": "model/metrics.py",
    "predicts": "serve/batch.py",
    "keeps": "`promote` keeps it, as ONNX",
}
# The words of a name, and the file of the package that such a module belongs to. The first that fits counts.
BY_WORD = (
    ("monitor monitoring drift alerts", "monitor/checks.py", "operation"),
    ("api serve server service endpoint endpoints", "serve/api.py", "production"),
    ("dashboard streamlit", "dashboard/app.py", "production"),
    ("predict prediction predictions inference infer score scoring", "serve/batch.py", "production"),
    ("evaluate evaluation metrics metric", "model/metrics.py", "model"),
    ("baseline", "model/baseline.py", "model"),
    ("train training fit tune tuning", "model/train.py", "model"),
    ("feature features featurize encode encoding", "model/features.py", "model"),
    (
        "plot plots plotting visualize visualization figures eda explore exploration report reporting",
        "",
        "research",
    ),
    (
        "extract ingest ingestion download fetch load loader loading query queries raw",
        "etl/extract.py",
        "data",
    ),
    (
        "dataset datasets transform preprocess preprocessing processing prepare preparation clean cleaning"
        " wrangle wrangling merge etl data",
        "etl/transform.sql",
        "data",
    ),
    ("model models modeling modelling estimator classifier regressor science", "model/estimator.py", "model"),
    ("config settings params parameters constants paths", "project.yaml", "discovery"),
    ("cli main run commands command", "commands.py", "production"),
)
WHAT_GOES_IN = {
    "monitor/checks.py": "each thing that is watched is a check there",
    "serve/api.py": "routes and sign-in of your own, in `create_app`; `POST /predict` is there already",
    "dashboard/app.py": "the sections of your own; the KPIs are there already",
    "serve/batch.py": "the columns that a file of predictions has beside the usual ones",
    "model/metrics.py": "figures that are not among the usual ones",
    "model/baseline.py": "the simple technique that the model has to beat",
    "model/train.py": "its steps, in `fit` and `train`; what learns, in model/estimator.py",
    "model/features.py": "which columns the model sees, how coded; what is computed, to etl/transform.sql",
    "model/estimator.py": "`fit` and `predict`, and the hyperparameters",
    "etl/extract.py": "one `RawTable` for each table that it reads",
    "etl/transform.sql": "joins, filters and computed columns, as SQL; what it reads, in etl/extract.py",
    "project.yaml": "facts and limits there; paths need no place: `data.source` names the raw tables",
    "commands.py": "each command that is not there already, as a verb",
}
FRAMEWORKS = {
    "serve/api.py": {"fastapi", "flask", "bottle", "aiohttp", "litestar", "sanic", "tornado"},
    "dashboard/app.py": {"streamlit", "dash", "gradio", "panel"},
}
PLOTTING = {"matplotlib", "seaborn", "plotly", "altair", "bokeh", "plotnine"}
TABLES = (".csv", ".tsv", ".parquet", ".gz", ".zip")
EMPTY = ("__init__.py", ".gitkeep", ".keep")
GLUE = {
    "pipeline_registry.py": "goes with Kedro: `etl` and `train` know their order",
    "pipeline.py": "goes with Kedro: the steps stand in etl/transform.sql and model/train.py, in their order",
    "settings.py": "goes with Kedro: `project.yaml` has the settings",
    "hooks.py": "goes with Kedro: the steps of a training stand in model/train.py, and can be given others",
    "__main__.py": "goes with Kedro: the project has a command of its own",
}
DECLARES = (
    "pyproject.toml setup.py setup.cfg Pipfile poetry.lock Pipfile.lock uv.lock pixi.toml"
    " requirements*.txt requirements*.in requirements/*.txt environment*.yml environment*.yaml"
)
# Patterns of names; with a step, a place, and what of it.
BY_NAME = (
    (DECLARES, "last", "pyproject.toml", "its dependencies, as said in section 3; then it goes"),
    (
        "/readme*",
        "discovery",
        "1-discovery/problem.md",
        "the problem and for whom; the decision and its KPIs in project.yaml; stays until the end",
    ),
    (
        "license* licence* copying* notice*",
        "stays",
        "",
        "it holds for all that is here; the project has one of its own",
    ),
    ("changelog* history* authors* contributing* code_of_conduct* security*", "stays", "", "as it is"),
    (
        "Dockerfile* .dockerignore",
        "production",
        "3-production/Dockerfile",
        "system packages that it installs, in the first stage; then it goes",
    ),
    (
        "docker-compose*.yml docker-compose*.yaml compose.yml compose.yaml",
        "production",
        "3-production/compose.yaml",
        "services that are yours, beside those there",
    ),
    (
        ".github/workflows/* /.gitlab-ci.yml Jenkinsfile",
        "last",
        "",
        "stays while there is something here to check; the project brings checks of its own",
    ),
    (
        "Makefile justfile tasks.py noxfile.py tox.ini dodo.py",
        "last",
        "src/{package}/commands.py",
        "each target is a verb (`etl`, `train`, `score`), or becomes one there; then it goes",
    ),
    (
        "dvc.yaml dvc.lock params.yaml MLproject",
        "last",
        "",
        "stages are etl/transform.sql and model/train.py; parameters, project.yaml and model/estimator.py",
    ),
    (
        ".gitignore .gitattributes .pre-commit-config.yaml .flake8 .editorconfig pytest.ini",
        "last",
        "",
        "stays for what is here; the project has its own",
    ),
    (".env*", "stays", "", "secrets stay in the environment, in no file of git"),
)
WORDS = (".md", ".rst", ".txt", ".png", ".svg", ".jpg", ".pdf")
FOLDED = 4  # so many files of one folder that are treated alike are one row


@dataclass(frozen=True)
class Layout:
    """The project that was brought in: its folder beside what was there, its package, its files by name."""

    folder: str
    package: str
    files: frozenset[str]

    def has(self, target: str) -> bool:
        """Return whether a file or folder is in it."""
        return any(name == target or name.startswith(f"{target.rstrip('/')}/") for name in self.files)

    def brought_by(self, target: str) -> str:
        """Return which answers bring the place of a target, nothing if it is there."""
        if target in self.files:
            return ""
        for begin, answers in BROUGHT_BY.items():
            known = begin.format(package=self.package)
            if target.startswith(known):
                if known.endswith("/") and self.has(known):
                    return ""
                return " ".join(each for each in answers.split() if not self.has(STAGES.get(each, "-")))
        return ""


@dataclass(frozen=True)
class Move:
    """What is to be done with a file, or with several that are treated alike: `files` of them.

    step: a word of STEPS · name: what is there · target: where to in the project, empty for nowhere
    how: what of it, in a sentence · whole: it is moved as it is, by `git mv`, or by `mv` where git does not
    know it
    """

    step: str
    name: str
    target: str
    how: str
    whole: bool = False
    tracked: bool = True
    files: int = 1


Rule = Callable[[File, Survey, Layout], Move | None]


def moves(survey: Survey, layout: Layout) -> list[Move]:
    """Return what is to be done with each file, in the order of the steps, like ones together."""
    found = [placed(move_of(file, survey, layout), layout) for file in survey.files]
    order = list(STEPS)
    return sorted(folded(apart(found, layout)), key=lambda move: (order.index(move.step), move.name))


def move_of(file: File, survey: Survey, layout: Layout) -> Move:
    """Return what the first rule that knows a file says of it."""
    for rule in RULES:
        if move := rule(file, survey, layout):
            return replace(move, tracked=file.tracked)
    return Move("stays", file.name, "", "no place in the layout: yours to say", tracked=file.tracked)


def placed(move: Move, layout: Layout) -> Move:
    """Return a move whose place is there; where an answer would bring it, it says so and stays until then."""
    answer = layout.brought_by(move.target)
    if not answer:
        return move
    shown = move.target.removeprefix(f"src/{layout.package}/")
    how = f"its place, {shown}, comes with `handrail update {answer}`"
    return replace(move, step="stays", target="", how=how, whole=False)


def apart(found: Iterable[Move], layout: Layout) -> list[Move]:
    """Return the moves with a target of its own for each file that is moved as it is."""
    taken, kept = set(layout.files), []
    for move in found:
        target = free(move, taken) if move.whole else move.target
        taken |= {target} if move.whole else set()
        kept.append(replace(move, target=target))
    return kept


def free(move: Move, taken: set[str]) -> str:
    """Return a name that is not taken: with the folder that the file was in before it, or a number behind."""
    target, parent = PurePosixPath(move.target), PurePosixPath(move.name).parent.name
    joint = "_" if target.suffix == ".py" else "-"
    names = [target, target.with_name(f"{parent}{joint}{target.name}")] if parent else [target]
    names += [target.with_name(f"{target.stem}{joint}{number}{target.suffix}") for number in range(2, 1000)]
    return next(name.as_posix() for name in names if name.as_posix() not in taken)


def folded(found: Iterable[Move]) -> list[Move]:
    """Return the moves, many that are alike in one folder as one row: `data/raw/*.csv`."""
    groups: dict[tuple, list[Move]] = {}
    for move in found:
        name = PurePosixPath(move.name)
        place = "**" if name.name in EMPTY else name.parent.as_posix()
        last = name.name if place == "**" else f"*{name.suffix}"
        to = PurePosixPath(move.target).parent.as_posix() if move.whole else move.target
        same_name = not move.whole or PurePosixPath(move.target).name == name.name
        how = move.how.replace(name.name, last)
        key = (move.step, place, last, to, how, move.whole, move.tracked, same_name)
        groups.setdefault(key, []).append(move)
    rows = []
    names = [move.name for group in groups.values() for move in group]
    for (_, place, last, to, how, whole, _, same_name), group in groups.items():
        everywhere = place == "**"
        begun = "" if everywhere else shared_beginning([PurePosixPath(move.name).name for move in group])
        pattern = f"{begun.removesuffix(PurePosixPath(last).suffix)}{last}"
        name = pattern if place == "." else f"{place}/{pattern}"
        many = same_name and len(group) >= (2 if everywhere else FOLDED)
        if many and (everywhere or sum(fnmatchcase(each, name) for each in names) == len(group)):
            target, said = f"{to}/" if whole else to, how.replace(last, pattern)
            rows.append(replace(group[0], name=name, target=target, how=said, files=len(group)))
        else:
            rows += group
    return rows


def shared_beginning(names: list[str]) -> str:
    """Return the letters that all names begin with."""
    columns = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in columns)


def tests(file: File, survey: Survey, layout: Layout) -> Move | None:
    """Tests, and what they need."""
    if not is_test(file) or file.path.name in EMPTY:
        return None
    if "kedro" in file.imports:
        return Move(
            "last", file.name, "tests/test_example.py", "goes with Kedro; what it knows of the data, there"
        )
    how = "as it is, once what it imports is there"
    return Move("tests", file.name, f"tests/{file.path.name}", how, whole=True)


def glue(file: File, survey: Survey, layout: Layout) -> Move | None:
    """What holds a framework together, and packages' empty files."""
    name = file.path.name
    if name in EMPTY:
        empty = name != "__init__.py" or is_only_words(file.text)
        said = "nothing to move" if empty else "what it makes at import goes where it is used"
        return Move("last", file.name, "", said)
    if survey.kind != "kedro":
        return None
    if name in GLUE:
        return Move("last", file.name, "", GLUE[name])
    if file.path.parts[0] == "conf" and file.suffix in (".yml", ".yaml"):
        return configuration(file, layout)
    return None


def configuration(file: File, layout: Layout) -> Move:
    """What Kedro has in `conf/`."""
    stem = file.path.stem
    if stem.startswith("catalog"):
        how = "one `RawTable` for each raw table of it; what is made of them is no entry any more"
        return Move("data", file.name, f"src/{layout.package}/etl/extract.py", how)
    if stem.startswith("parameters"):
        how = "dates of the split, limits and costs there; hyperparameters in model/estimator.py"
        return Move("discovery", file.name, "project.yaml", how)
    if "credentials" in stem:
        return Move("stays", file.name, "", "secrets belong into the environment, in no file of git")
    return Move("last", file.name, "", "goes with Kedro: the engine logs by itself")


def notebook(file: File, survey: Survey, layout: Layout) -> Move | None:
    """Notebooks: they move as they are; what is final in them goes into the package."""
    if not is_notebook(file):
        return None
    target = f"2-research/notebooks/{file.path.name}"
    return Move(
        "research", file.name, target, with_hints("as it is, outputs cleared", file, layout), whole=True
    )


def data(file: File, survey: Survey, layout: Layout) -> Move | None:
    """Files of data: raw ones stay and are named, what is made of them is made anew."""
    if not is_data(file):
        return None
    if how := made_anew(file):
        return Move("last", file.name, "", f"{how}; stays until you have compared")
    name = file.path.relative_to(survey.raw_folder).as_posix()
    where = f"`data.source: ../{'' if survey.raw_folder == '.' else survey.raw_folder}` in project.yaml"
    if file.suffix in TABLES:
        how = f'stays where it is; `RawTable("{name}", ...)`, with {where}'
    else:
        how = f"stays where it is; a function of yours reads `{name}`, as `RawRows`, with {where}"
    return Move("data", file.name, f"src/{layout.package}/etl/extract.py", how)


def model_file(file: File, survey: Survey, layout: Layout) -> Move | None:
    """Models that were kept: none is loaded, as a pickle runs what it holds."""
    inside = {"models", "06_models"} & {*file.path.parent.parts}
    if file.suffix not in MODELS and not (inside and file.suffix in (".h5", ".json", ".txt", ".bin")):
        return None
    return Move(
        "stays", file.name, "", "to compare with: `train` makes a new one, as ONNX, which `promote` keeps"
    )


def by_name(file: File, survey: Survey, layout: Layout) -> Move | None:
    """What is called as everybody calls it: what installs, checks, builds and runs; the usual texts."""
    for patterns, step, target, how in BY_NAME:
        if any(fits(file, pattern) for pattern in patterns.split()):
            return Move(step, file.name, target.format(package=layout.package), how)
    if file.suffix == ".py" and "airflow" in file.imports:
        how = "the order of your own tasks; `etl`, `score` and `monitor` are there already"
        return Move("production", file.name, "dags/", how)
    return None


def fits(file: File, pattern: str) -> bool:
    """Return whether a pattern fits the name, or with a `/` in it the whole way."""
    whole = f"/{file.name}" if pattern.startswith("/") else file.name
    name = whole if "/" in pattern else file.path.name
    depth = name.count("/") == pattern.count("/")
    return depth and fnmatchcase(name.lower(), pattern.lower())


def text(file: File, survey: Survey, layout: Layout) -> Move | None:
    """References, reports, figures, documentation."""
    folders = {part.lower() for part in file.path.parent.parts}
    if folders & {"references", "papers"}:
        how = "as it is; where data comes from and what may be done with it, in 1-discovery/data.md"
        return Move("discovery", file.name, f"docs/{file.path.name}", how, whole=True)
    if folders & {"reports", "figures"} and file.suffix != ".py":
        how = "as it is, if somebody still reads it; reports on a training are made by `train`"
        return Move("research", file.name, f"2-research/figures/{file.path.name}", how, whole=True)
    if "docs" in folders and is_site(survey):
        return Move("stays", file.name, "", "a site is made of it, from where it is")
    if "docs" in folders and file.suffix in WORDS:
        below = file.path.relative_to(file.path.parts[0]).as_posix()
        return Move("discovery", file.name, f"docs/{below}", "as it is", whole=True)
    return None


def is_site(survey: Survey) -> bool:
    """Return whether a site is made of the texts in `docs`."""
    return any(file.path.name in ("mkdocs.yml", "conf.py", "_config.yml") for file in survey.files)


def sql(file: File, survey: Survey, layout: Layout) -> Move | None:
    """Queries."""
    if file.suffix != ".sql":
        return None
    how = "its SELECT, as a step there, in DuckDB's dialect or that of `compute`"
    return Move("data", file.name, f"src/{layout.package}/etl/transform.sql", how)


def module(file: File, survey: Survey, layout: Layout) -> Move | None:
    """Python: by what it is called, by what it imports, by what it does."""
    if file.suffix != ".py" or "docs" in file.path.parts:
        return None
    for inner, frameworks in FRAMEWORKS.items():
        if file.imports & frameworks:
            return into(file, inner, "production", layout)
    for word in survey.words(file):
        for words, inner, step in BY_WORD:
            if word in words.split():
                learns = step == "data" and "fits" in file.hints  # as in a folder `data_science`
                return into(file, *(("model/train.py", "model") if learns else (inner, step)), layout)
    by_code = {"fits": ("model/estimator.py", "model"), "predicts": ("serve/batch.py", "production")}
    by_code |= {"reads": ("etl/extract.py", "data"), "joins": ("etl/transform.sql", "data")}
    for hint, (inner, step) in by_code.items():
        if hint in file.hints:
            return into(file, inner, step, layout)
    if file.imports & PLOTTING:
        return into(file, "", "research", layout)
    target = f"src/{layout.package}/{file.path.name.replace('-', '_')}"
    return Move("model", file.name, target, "as it is; imports of it follow", whole=True)


def into(file: File, inner: str, step: str, layout: Layout) -> Move:
    """Return that the content of a module goes into a file of the layout, by hand."""
    if not inner:
        how = with_hints(
            "as it is: a picture for people is drawn in research, beside the notebooks", file, layout
        )
        name = f"{file.path.parent.name}.py" if file.path.name == "nodes.py" else file.path.name
        return Move(step, file.name, f"2-research/notebooks/{name}", how, whole=True)
    target = inner if inner == "project.yaml" else f"src/{layout.package}/{inner}"
    return Move(step, file.name, target, with_hints(WHAT_GOES_IN[inner], file, layout, inner))


def with_hints(how: str, file: File, layout: Layout, inner: str = "") -> str:
    """Return a sentence, and after it where in the file there is something that belongs elsewhere.

    A prediction beside a measure is part of that, and so is what a project without such a place does.
    """
    found = [
        f"{what} at {shown(file.hints[what])}: {place}"
        for what, place in WHERE_HINTS_GO.items()
        if what in file.hints
        and place != inner
        and not (what == "predicts" and file.hints.keys() & {"fits", "measures"})
        and (" " in place or layout.has(f"src/{layout.package}/{place}"))
    ]
    return ". ".join([how, *found])


def shown(places: list[str]) -> str:
    """Return the first places, as `line 3, 8, 12 ...`."""
    kind = places[0].partition(" ")[0]
    numbers = [place.partition(" ")[2] for place in places]
    more = " ..." if len(numbers) > SHOWN else ""
    return f"{kind} {', '.join(numbers[:SHOWN])}{more}"


RULES: tuple[Rule, ...] = (tests, glue, notebook, by_name, model_file, data, text, sql, module)
