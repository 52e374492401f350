"""`handrail adopt`: layout and engine come to a repository that is there, as a branch; nothing is touched."""

import json
import subprocess
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from handrail.scaffold.adopt import adopt
from handrail.scaffold.source import Source
from tests.template.existing import LAYOUTS, notebooks, repository, written
from tests.template.histories import Said, Snapshot, commit, git, ran, snapshot, three_versions

BRANCH = "handrail-adopt"
AUTHOR = "author=Jane Smith <jane@example.com>"
# Of each layout: the folder of the project, and of the page the rows that say what goes where.
FOLDERS = {"notebooks": "shop-sales", "data_science": "churn-project", "kedro": "spaceflights"}
ROWS = {
    "notebooks": """
        | `README.md` | `1-discovery/problem.md` |
        | `data/sales.csv` | `src/shop_sales/etl/extract.py` | stays where it is; `RawTable("sales.csv", ...)
        | `data/weather.xlsx` | `src/shop_sales/etl/extract.py` | stays where it is; a function of yours reads
        | `queries/daily.sql` | `src/shop_sales/etl/transform.sql` | its SELECT, as a step there
        | `explore.ipynb` | `2-research/notebooks/explore.ipynb` | as it is, outputs cleared. reads at
        joins at cell 3: etl/transform.sql. splits at cell 3: `split` of project.yaml. fits at cell 4: model
        git mv 'models by hand/fit the model.ipynb' 'shop-sales/2-research/notebooks/fit the model.ipynb'
        | `output/forest.pkl`, not in git | to compare with: `train` makes a new one, as ONNX
        | `pandas` | ==1.5.3 | environment.yml | to declare, within >=3.1,<3.2, which is tested |
        | `holidays` | ==0.20 | environment.yml | nothing here imports it
        | `scikit-learn` | - | models by hand/fit the model.ipynb imports it | there already, scikit-learn>=
        uv add --group notebooks pandas seaborn
        | stage | research | no service and no Dockerfile is here |
        | problem | regression | of the words that tell, the code has 2 of this kind |
    """,
    "data_science": """
        | `churn/dataset.py` | `src/churn/etl/transform.sql` |
        | `data/raw/customers.csv`, not in git | `src/churn/etl/extract.py` | stays where it is; `Raw
        | `data/processed/features.csv`, not in git | - | made anew by `etl`; stays until you have compared |
        | `churn/features.py` | `src/churn/model/features.py` |
        | `churn/modeling/train.py` | `src/churn/model/train.py` |
        keeps at line 11: `promote` keeps it, as ONNX
        | `churn/modeling/predict.py` | `src/churn/serve/batch.py` |
        | `churn/app.py` | `src/churn/serve/api.py` |
        | `churn/config.py` | `project.yaml` |
        | `Dockerfile` | `3-production/Dockerfile` |
        git mv churn/plots.py churn-project/2-research/notebooks/plots.py
        git mv churn/calendar_days.py churn-project/src/churn/calendar_days.py
        git mv tests/test_data.py churn-project/tests/test_data.py
        git mv references/contract-with-the-provider.pdf churn-project/docs/contract-with-the-provider.pdf
        | `docs/docs/index.md` | a site is made of it, from where it is |
        | `Makefile` | `src/churn/commands.py` | each target is a verb
        | `.github/workflows/tests.yml` | - | stays while there is something here to check
        | `scikit-learn` | <1.4 | requirements.txt | there already, scikit-learn>=
        | `python-dotenv` | any | requirements.txt | not needed:
        uv add loguru pandas
        `.pre-commit-config.yaml` is not changed. To have it look after the project too:
        +      entry: uv run --project churn-project ruff check --fix
        | stage | production | Dockerfile is there |
        | license | mit | LICENSE begins so |
        | author | Jane Smith <jane@example.com> | pyproject.toml |
        | ci | github | .github is there |
        | api | fastapi | fastapi is imported |
    """,
    "kedro": """
        | `conf/base/catalog.yml` | `src/spaceflights/etl/extract.py` | one `RawTable` for each raw
        | `conf/base/parameters_data_science.yml` | `project.yaml` |
        | `src/spaceflights/pipelines/data_processing/nodes.py` | `src/spaceflights/etl/transform.sql` |
        | `src/spaceflights/pipelines/data_science/nodes.py` | `src/spaceflights/model/train.py` |
        measures at line 10: model/metrics.py
        git mv src/spaceflights/pipelines/reporting/nodes.py spaceflights/2-research/notebooks/reporting.py
        | `src/spaceflights/pipeline_registry.py` | - | goes with Kedro
        | `src/spaceflights/settings.py` | - | goes with Kedro
        | `tests/pipelines/data_science/test_pipeline.py` | `tests/test_example.py` | goes with Kedro
        git mv tests/test_prices.py spaceflights/tests/test_prices.py
        | `conf/local/credentials.yml` | secrets belong into the environment, in no file of git |
        | `data/06_models/regressor.pickle` | to compare with
        | `kedro` | ~=1.7.0 | pyproject.toml | not needed: goes with Kedro |
        | `sphinx` | >=5.3 | pyproject.toml | not needed: it makes your docs, where they are |
        uv add --group dev pytest-cov
        | problem | regression |
    """,
}


@dataclass(frozen=True)
class Tried:
    """A repository that Handrail was brought into: as it was before, and what was said."""

    path: Path
    before: Snapshot
    said: Said

    @property
    def page(self) -> str:
        """The page on the branch."""
        return git(self.path, "show", f"{BRANCH}:ADOPT.md")


def run(folder: Path, *arguments: str | Path, **environment: str) -> Said:
    """Run `handrail` in a folder, with nobody at the terminal, as a user without settings."""
    return ran(folder, folder.parent / "home", *arguments, **environment)


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A template with three versions."""
    return three_versions(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def tried(template, tmp_path_factory):
    """Bring the template into one of the layouts, once."""
    done: dict[str, Tried] = {}

    def once(layout: str) -> Tried:
        if layout not in done:
            path = LAYOUTS[layout](tmp_path_factory.mktemp(layout) / "existing")
            before = snapshot(path)
            done[layout] = Tried(path, before, run(path, "adopt", ".", "--template", template, AUTHOR))
        return done[layout]

    return once


def work_on(tried: Tried, folder: Path) -> Path:
    """Return the branch, checked out in a clone that knows where the template is."""
    git(tried.path, "clone", "--quiet", "--branch", BRANCH, ".", str(folder))
    git(folder, "config", "handrail.template", git(tried.path, "config", "handrail.template"))
    return folder


def refused(folder: Path, *arguments: str | Path) -> str:
    """Be refused, with nothing changed; return why."""
    before = snapshot(folder) if (folder / ".git").exists() else None
    said = run(folder, "adopt", *arguments)
    assert (said.status, said.out) == (1, "")
    assert before is None or snapshot(folder) == before
    assert said.err.startswith("error: ")
    return said.err.removeprefix("error: ").strip()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nothing_that_is_there_is_touched(tried, layout):
    done = tried(layout)
    assert (done.said.status, done.said.err) == (0, "")
    after = snapshot(done.path)
    assert (after.files, after.index) == (done.before.files, done.before.index)
    assert git(done.path, "status", "--porcelain") == ""
    heads = [line for line in after.heads.splitlines() if BRANCH not in line]
    assert heads == done.before.heads.splitlines()
    added = {name for name in after.kept - done.before.kept if not name.startswith("objects/")}
    assert {name.partition("refs/heads")[2] for name in added} <= {"", f"/{BRANCH}"}
    changes = git(done.path, "diff", "--name-status", "--no-renames", "HEAD", BRANCH).splitlines()
    assert {line[0] for line in changes} == {"A"}
    assert f"adds {len(changes)} files and changes none" in done.said.out
    assert f"This branch adds {len(changes)} files and changes none." in done.page


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_branch_has_a_whole_project(tried, layout, tmp_path):
    work, folder = work_on(tried(layout), tmp_path / "work"), FOLDERS[layout]
    project = work / folder
    kept = json.loads((project / ".handrail.json").read_text())
    assert kept["repository_folder"] == folder
    package = kept["answers"]["project_slug"].replace("-", "_")
    for name in ("project.yaml", "1-discovery/problem.md", f"src/{package}/etl/transform.sql", "AGENTS.md"):
        assert (project / name).is_file()
    assert list((project / "vendor").glob("handrail-0.4.0*.whl"))
    assert git(work, "log", "-1", "--format=%an <%ae>") == "Jane Smith <jane@example.com>"
    (found,) = json.loads(run(work, "check", "--json", folder).out)
    assert (found["missing"], found["altered"], found["problem"]) == ([], [], "")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_page_says_what_goes_where(tried, layout):
    page = tried(layout).page
    missing = [row.strip() for row in ROWS[layout].splitlines() if row.strip() and row.strip() not in page]
    assert missing == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_file_has_a_row_and_every_command_works(tried, layout, tmp_path):
    done = tried(layout)
    work = work_on(done, tmp_path / "work")
    named = set(git(done.path, "ls-files").splitlines())
    rows = {line.split("`")[1] for line in done.page.splitlines() if line.startswith("| `")}
    folded = {"**/__init__.py", "**/.gitkeep", "conf/base/parameters*.yml"} & rows
    assert {
        name
        for name in named
        if not any(fnmatchcase(f"/{name}", f"*{each.removeprefix('**')}") for each in folded)
    } <= rows
    moves = [
        line
        for line in done.page.splitlines()
        if line.startswith(("git mv ", "mkdir ")) and " -k " not in line
    ]
    for command in moves:
        assert (
            subprocess.run(command, shell=True, cwd=work, check=False, capture_output=True).returncode == 0
        ), command
    assert len([line for line in git(work, "status", "--porcelain").splitlines() if line[0] == "R"]) == len(
        [line for line in moves if line.startswith("git mv")]
    )


def test_the_terminal_says_it_in_short(tried):
    out = tried("kedro").said.out
    assert out.startswith("It is a Kedro project, of 29 files.\nThe branch handrail-adopt (")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "conf/base/catalog.yml spaceflights/src/spaceflights/etl/extract.py" in lines
    assert "To declare: pandas, plotly, pytest-cov" in lines
    assert "stage=research: no service and no Dockerfile is here" in lines
    assert lines[-1] == "Look: git switch handrail-adopt; ADOPT.md Take back: git branch -D handrail-adopt"


def test_a_second_run_says_that_the_branch_is_there(tried, template):
    path = tried("kedro").path
    assert refused(path, ".", "--template", template) == (
        "the branch handrail-adopt is there already. Look: git log -p handrail-adopt; "
        "begin anew: git branch -D handrail-adopt; or take another name: --branch NAME"
    )


def test_the_branch_is_updated_moved_up_and_grown(template, tmp_path):
    path = notebooks(tmp_path / "existing")
    given = ("--template", template, "--to", "v0.2.0", AUTHOR, "stage=production", "ci=github")
    assert run(path, "adopt", ".", *given).status == 0
    git(path, "switch", "--quiet", BRANCH)
    move_up = next(line for line in (path / "ADOPT.md").read_text().splitlines() if " -k " in line)
    project = path / "shop-sales"
    said = run(project, "update")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("template 0.2.0 (")
    commit(path, "update")
    assert json.loads((project / ".handrail.json").read_text())["version"] == "0.4.0"

    stays = ("shop-sales", ".github", ".pre-commit-config.yaml")
    there = git(path, "ls-tree", "--name-only", "HEAD").splitlines()
    git(path, "rm", "-r", "--quiet", *(name for name in there if name not in stays))
    commit(path, "what was here goes")
    subprocess.run(move_up, shell=True, cwd=path, check=True)
    commit(path, "up")
    said = run(path, "update")
    assert (said.status, said.err) == (0, ""), said.out
    assert "renamed  .github/workflows/shop-sales-ci.yml -> .github/workflows/ci.yml" in said.out
    commit(path, "the workflows go along")
    text = (path / ".github" / "workflows" / "ci.yml").read_text()
    assert "working-directory" not in text
    assert "paths:" not in text
    assert "directory: /3-production" in (path / ".github" / "dependabot.yml").read_text()
    assert "repository_folder" not in json.loads((path / ".handrail.json").read_text())
    (found,) = json.loads(run(path, "check", "--json", ".").out)
    assert (found["behind"], found["missing"], found["altered"]) == (0, [], [])
    assert run(path, "update").out.splitlines()[-1] == "There is nothing to update."

    said = run(path, "update", "stage=operation")
    assert (said.status, said.err) == (0, ""), said.out
    assert (path / "4-operation" / "runbook.md").is_file()
    assert (path / ".github" / "workflows" / "live.yml").is_file()


def test_a_changed_file_stops_it(tmp_path, template):
    path = notebooks(tmp_path / "existing")
    (path / "explore.ipynb").write_text("{}")
    assert refused(path, ".", "--template", template) == (
        "explore.ipynb: changed and not committed. First: git commit, or git stash"
    )


def test_what_is_no_repository_is_told(tmp_path, template):
    path = tmp_path / "existing"
    path.mkdir()
    environment = {"GIT_CEILING_DIRECTORIES": str(tmp_path)}
    said = run(path, "adopt", ".", "--template", template, **environment)
    assert (said.status, said.out) == (1, "")
    assert said.err.strip().endswith(". First: git init, git add --all, git commit")
    git(path, "init", "--quiet")
    said = run(path, "adopt", ".", "--template", template)
    assert said.err.strip().endswith("has no commit yet. First: git add --all, git commit")


def test_a_project_is_told_to_be_updated(tmp_path, template):
    path = repository(tmp_path / "existing", {".handrail.json": "{}"})
    assert refused(path, ".", "--template", template).endswith(
        "is a Handrail project already. To bring it up to date: handrail update"
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            ["stage=later"],
            "stage 'later': is no such choice. Take one of: operation, production, research, discovery",
        ),
        (["stages=research"], "stages: is no question. Take one of: stage"),
        (["author=Jane"], "author 'Jane': must be one name, without a comma, and a mail address."),
        (["--branch", "a..b"], "a..b: can't be the name of a branch. Take another: --branch NAME"),
        (["--to", "v9.9.9"], "has no tag, branch or commit 'v9.9.9'"),
    ],
)
def test_what_can_not_be_is_refused(tmp_path, template, given, why):
    path = notebooks(tmp_path / "existing")
    assert why in refused(path, ".", "--template", template, *given)


def test_a_workflow_in_the_way_is_named(tmp_path, template):
    path = repository(tmp_path / "existing", {".github/workflows/existing-ci.yml": "on: push\n"})
    assert refused(path, ".", "--template", template, AUTHOR) == (
        ".github/workflows/existing-ci.yml: is there already, and the project would bring it. "
        "Move it away, or take another project_slug"
    )


def test_answers_come_from_a_file_and_from_the_command(tmp_path, template):
    path = notebooks(tmp_path / "existing")
    (tmp_path / "house.yaml").write_text("stage: discovery\nlicense: mit\nauthor: Ann <ann@example.com>\n")
    given = ("--answers", tmp_path / "house.yaml", "license=bsd", "project_name=Bread Orders")
    said = run(path, "adopt", ".", "--template", template, *given)
    assert (said.status, said.err) == (0, "")
    kept = json.loads(git(path, "show", f"{BRANCH}:bread-orders/.handrail.json"))["answers"]
    assert (kept["stage"], kept["license"], kept["author"]) == ("discovery", "bsd", "Ann <ann@example.com>")
    page = git(path, "show", f"{BRANCH}:ADOPT.md")
    assert (
        "| `explore.ipynb` | its place, 2-research/notebooks/explore.ipynb, comes with `handrail update"
        in page
    )
    assert "uv run bread-orders status" in page
    assert "bread-orders demo" not in page


def test_at_a_terminal_what_is_there_is_the_default(tmp_path, template):
    path = LAYOUTS["data_science"](tmp_path / "existing")
    asked: dict[str, object] = {}

    def ask(key, said, offered):
        asked[key] = offered
        return offered if isinstance(offered, str) else next(iter(offered))

    adopted = adopt(path, Source(str(template)), {"ci": "none"}, ask)
    assert asked["description"] == "Who leaves us next month"
    assert next(iter(asked["stage"])) == "production"
    assert sorted(asked["stage"]) == ["discovery", "operation", "production", "research"]
    assert "ci" not in asked
    assert (adopted.answers["ci"], adopted.answers["api"]) == ("none", "fastapi")


def test_a_folder_inside_a_repository(tmp_path, template):
    top = repository(
        tmp_path / "all",
        {
            "README.md": "# All\n",
            "forecast/fit.py": "import sklearn\nm.fit(x)\n",
            "forecast/ADOPT.md": "ours\n",
            "forecast/fit/__init__.py": "",
        },
    )
    before = snapshot(top)
    said = run(
        top,
        "adopt",
        "forecast",
        "--template",
        template,
        "--to",
        "v0.2.0",
        AUTHOR,
        "project_slug=fit",
        "ci=github",
    )
    assert (said.status, said.err) == (0, "")
    assert snapshot(top).files == before.files
    names = set(git(top, "ls-tree", "-r", "--name-only", BRANCH).splitlines())
    assert {"forecast/fit-project/project.yaml", ".github/workflows/forecast-fit-project-ci.yml"} <= names
    page = git(top, "show", f"{BRANCH}:forecast/fit-project/ADOPT.md")
    assert git(top, "show", f"{BRANCH}:forecast/ADOPT.md") == "ours"
    assert "| `fit.py` | `src/fit/model/train.py` |" in page
    assert "README.md" not in {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}


def test_ignore_rules_that_would_hide_the_project_are_named(tmp_path, template):
    path = repository(tmp_path / "existing", {"a.py": "x = 1\n"}, "*.sql\nvendor/\n")
    said = run(path, "adopt", ".", "--template", template, AUTHOR)
    assert (said.status, said.err) == (0, "")
    page = git(path, "show", f"{BRANCH}:ADOPT.md")
    assert "The ignore rule `*.sql` in .gitignore hides" in page.replace("\n", " ")
    names = git(path, "ls-tree", "-r", "--name-only", BRANCH)
    assert "etl/transform.sql" in names
    assert "vendor/handrail-" in names


def test_what_is_already_staged_for_others_and_the_index_stay(tmp_path, template):
    """Untracked files count, whatever else there is: they are named as such, and never added."""
    path = notebooks(tmp_path / "existing")
    written(
        path,
        {
            "scratch.py": "import pandas as pd\npd.read_csv('data/sales.csv')\n",
            ".venv/pyvenv.cfg": "",
            ".venv/lib/x.py": "",
        },
    )
    said = run(path, "adopt", ".", "--template", template, AUTHOR)
    assert (said.status, said.err) == (0, "")
    page = git(path, "show", f"{BRANCH}:ADOPT.md")
    assert "| `scratch.py`, not in git | `src/shop_sales/etl/extract.py` |" in page
    assert ".venv" not in page
    assert "scratch.py" not in git(path, "ls-tree", "-r", "--name-only", BRANCH).splitlines()
    assert git(path, "status", "--porcelain") == "?? .venv/\n?? scratch.py"


def test_a_branch_of_which_git_has_no_room(tmp_path, template):
    path = notebooks(tmp_path / "existing")
    git(path, "branch", "handrail-adopt/older")
    assert refused(path, ".", "--template", template, AUTHOR) == (
        "handrail-adopt: beside the branch handrail-adopt/older, git has no room for it. "
        "Take another: --branch NAME"
    )
