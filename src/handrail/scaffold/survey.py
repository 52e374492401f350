"""What is in a repository that Handrail is to be brought into: its files, its layout, what its code does.

Everything is read, nothing is run or imported.
"""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

from .merge import git

READ_AT_MOST = 5_000_000  # bytes of a text; a notebook with its pictures may be longer than that
LEFT_OUT = frozenset(
    ".git .venv node_modules __pycache__ .ipynb_checkpoints .tox .nox .mypy_cache .pytest_cache .ruff_cache"
    " .eggs .idea .vscode .cache site-packages .dvc .terraform".split()
)
DATA = frozenset(
    ".csv .tsv .parquet .feather .arrow .avro .orc .xlsx .xls .jsonl .ndjson .sqlite .sqlite3 .db .duckdb"
    " .sas7bdat .sav .dta .gz .zip .npy .npz .h5 .hdf5".split()
)
MODELS = frozenset(".pkl .pickle .joblib .onnx .pt .pth .keras .cbm .pmml .mlmodel".split())
MADE_ANEW = {
    "interim intermediate primary feature features processed cleaned clean input": "made anew by `etl`",
    "output outputs predictions scored results submissions": "made anew by `score`",
    "reporting reports figures": "made anew by `train`",
}
# What a line of code does, and where in the layout that has its place.
HINTS = {
    "reads": re.compile(
        r"\bread_(csv|parquet|excel|sql\w*|json|feather|table)\b|\bscan_(csv|parquet)\b|\bspark\.read\b"
    ),
    "joins": re.compile(r"\.(merge|groupby|pivot_table|group_by)\("),
    "encodes": re.compile(
        r"\b(fit_transform|get_dummies|OneHotEncoder|OrdinalEncoder|StandardScaler|LabelEncoder)\b"
    ),
    "splits": re.compile(r"\b(train_test_split|TimeSeriesSplit|\w*KFold)\("),
    "fits": re.compile(r"\.fit\(|\blgb\.train\(|\bxgb\.train\("),
    "measures": re.compile(
        r"\b(\w+_score|classification_report|confusion_matrix|mean_\w+_error|log_loss|max_error)\("
    ),
    "predicts": re.compile(r"\.predict(_proba)?\("),
    "keeps": re.compile(r"\b(joblib|pickle|dill)\.dump\(|\.save_model\(|\btorch\.save\("),
}
SHOWN = 3


@dataclass(frozen=True)
class File:
    """A file by its name from the folder, with forward slashes; `tracked` is whether git knows it."""

    folder: Path
    name: str
    tracked: bool

    @property
    def path(self) -> PurePosixPath:
        """The name as a path."""
        return PurePosixPath(self.name)

    @property
    def suffix(self) -> str:
        """The end of the name, in small letters."""
        return self.path.suffix.lower()

    @cached_property
    def text(self) -> str:
        """What it holds, if that is text and not too long; otherwise nothing."""
        path = self.folder / self.name
        with suppress(OSError):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= READ_AT_MOST:
                return path.read_text(encoding="utf-8", errors="replace")
        return ""

    @cached_property
    def code(self) -> list[tuple[str, str]]:
        """The lines of its Python, each with where it stands: `line 3`, or `cell 3` of a notebook."""
        if self.suffix == ".py":
            return [(f"line {number}", line) for number, line in enumerate(self.text.splitlines(), 1)]
        return list(cells(self.text)) if self.suffix == ".ipynb" else []

    @cached_property
    def imports(self) -> set[str]:
        """The names of the packages that it imports."""
        lines = [line for _, line in self.code if not line.lstrip().startswith(("%", "!", "?"))]
        return imported("\n".join(lines))

    @cached_property
    def hints(self) -> dict[str, list[str]]:
        """What its code does, by a word of HINTS, with the places."""
        found: dict[str, list[str]] = {}
        for place, line in self.code:
            if line.lstrip().startswith(("#", "import ", "from ")):
                continue
            for what, pattern in HINTS.items():
                if pattern.search(line) and place not in found.setdefault(what, []):
                    found[what].append(place)
        return {what: places for what, places in found.items() if places}


@dataclass(frozen=True)
class Survey:
    """The files of a folder, by name."""

    folder: Path
    files: list[File]

    @cached_property
    def by_name(self) -> dict[str, File]:
        """The files, by name."""
        return {file.name: file for file in self.files}

    @cached_property
    def described(self) -> dict[str, Any]:
        """What pyproject.toml holds, nothing if there is none that can be read."""
        file = self.by_name.get("pyproject.toml")
        with suppress(tomllib.TOMLDecodeError):
            return tomllib.loads(file.text) if file else {}
        return {}

    @cached_property
    def python(self) -> list[File]:
        """The files of Python, notebooks left out."""
        return [file for file in self.files if file.suffix == ".py"]

    @cached_property
    def notebooks(self) -> list[File]:
        """The notebooks of Jupyter, and those of marimo."""
        return [file for file in self.files if is_notebook(file)]

    @cached_property
    def imports(self) -> dict[str, list[File]]:
        """Every package that is imported, with the files that import it."""
        found: dict[str, list[File]] = {}
        for file in self.files:
            for name in file.imports:
                found.setdefault(name, []).append(file)
        return found

    @cached_property
    def own_names(self) -> set[str]:
        """The names under which its own modules and packages are imported."""
        parts = {part for file in self.python for part in file.path.parent.parts}
        return parts | {file.path.stem for file in self.python}

    @cached_property
    def raw_folder(self) -> str:
        """The folder that has all raw data in it, `.` where that is this one."""
        found = [file.path.parent.parts for file in self.files if is_data(file) and not made_anew(file)]
        shared = takewhile(lambda parts: len(set(parts)) == 1, zip(*found, strict=False))
        return "/".join(parts[0] for parts in shared) or "."

    @cached_property
    def modules(self) -> list[File]:
        """The files of Python that are no notebooks and no tests."""
        return [file for file in self.python if not is_notebook(file) and not is_test(file)]

    @cached_property
    def shared_folders(self) -> int:
        """How many folders lie on the way to every module, as `src` and the package do."""
        ways = [file.path.parent.parts for file in self.modules if "docs" not in file.path.parts]
        if len(ways) < 2:
            return 0
        return len(list(takewhile(lambda parts: len(set(parts)) == 1, zip(*ways, strict=False))))

    def words(self, file: File) -> list[str]:
        """Return the words of a file's name, then those of the folders on the way, the nearest first."""
        parts = [file.path.stem, *reversed(file.path.parent.parts[self.shared_folders :])]
        return [word for part in parts for word in re.findall(r"[a-z]+", spaced(part).lower())]

    @cached_property
    def kind(self) -> str:
        """The layout that it has: a word of KINDS."""
        if "kedro" in self.described.get("tool", {}) or "kedro" in self.imports:
            return "kedro"
        folders = {parent.as_posix() for file in self.files for parent in file.path.parents}
        split = {file.path.parent.as_posix() for file in self.python if file.path.name == "dataset.py"}
        if any(f"{folder}/modeling" in folders for folder in split) or {"data/raw", "references"} <= folders:
            return "ccds"
        enough = self.notebooks and len(self.notebooks) >= len(self.modules)
        return "notebooks" if enough else "scripts"


KINDS = {
    "kedro": "a Kedro project",
    "ccds": "a cookiecutter-data-science project",
    "notebooks": "a folder of notebooks",
    "scripts": "a repository of scripts and modules",
}


def surveyed(folder: Path) -> Survey:
    """Return what is in a folder of a repository whose work is committed. Raises GitError."""
    known = names(git(folder, "ls-files", "-z", "--", "."))
    others = names(git(folder, "ls-files", "-z", "--others", "--", "."))
    environments = {name.rpartition("/")[0] for name in others if name.endswith("pyvenv.cfg")}
    files = [File(folder, name, tracked=True) for name in known]
    for name in others:
        file = File(folder, name, tracked=False)
        inside = any(name.startswith(f"{place}/") for place in environments)
        if not inside and LEFT_OUT.isdisjoint(file.path.parts) and counts_untracked(file):
            files.append(file)
    return Survey(folder, sorted(files, key=lambda file: file.name))


def counts_untracked(file: File) -> bool:
    """Return whether a file that is not in git is of interest: data, models, code; no logs, no caches."""
    return file.suffix in DATA | MODELS or file.suffix in (".py", ".ipynb", ".sql", ".json")


def names(listed: bytes) -> list[str]:
    """Return the names that git printed with `-z`."""
    return [name.decode(errors="surrogateescape") for name in listed.split(b"\0") if name]


def cells(text: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a notebook's cells of code, each with its cell, counted from 1 among all."""
    try:
        found = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError):
        return
    for number, cell in enumerate(found, 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            for line in "".join(cell.get("source", "")).splitlines():
                yield f"cell {number}", line


def is_data(file: File) -> bool:
    """Return whether a file holds data: by its end, or by the folder, where the end may be of anything."""
    folders = words_of(file.path.parent)
    inside = file.suffix in (".json", ".txt") and "data" in folders
    return (file.suffix in DATA or inside) and not folders & {"docs", "references"}


def made_anew(file: File) -> str:
    """Return by what a file of data is made, as its folder says; nothing for raw data."""
    folders = words_of(file.path.parent)
    return next((how for words, how in MADE_ANEW.items() if folders & {*words.split()}), "")


def words_of(folder: PurePosixPath) -> set[str]:
    """Return the words that a folder's name, and those on the way to it, are made of."""
    return {word for part in folder.parts for word in re.split(r"[_\W]", part.lower())}


def is_notebook(file: File) -> bool:
    """Return whether a file is a notebook, of Jupyter or of marimo."""
    return file.suffix == ".ipynb" or (file.suffix == ".py" and "app = marimo.App(" in file.text)


def is_test(file: File) -> bool:
    """Return whether a file belongs to the tests."""
    name = file.path.name
    called = file.suffix == ".py" and (name.startswith("test_") or name.endswith("_test.py"))
    return called or not {"test", "tests"}.isdisjoint(file.path.parent.parts)


def imported(code: str) -> set[str]:
    """Return the names of the packages that Python imports; line by line, where it can't be parsed."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError):
        pattern = re.compile(
            r"^\s*(?:from\s+([A-Za-z_]\w*)[\w.]*\s+import\b|import\s+([A-Za-z_]\w*))", re.MULTILINE
        )
        return {match[1] or match[2] for match in pattern.finditer(code)}
    found = {each.name for node in nodes if isinstance(node, ast.Import) for each in node.names}
    found |= {
        node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }
    return {name.partition(".")[0] for name in found}


def spaced(name: str) -> str:
    """Return a name with its words apart, those of CamelCase too."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def is_only_words(text: str) -> bool:
    """Return whether Python has nothing but comments, docstrings and imports in it."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    plain = (ast.Import, ast.ImportFrom)
    return all(
        isinstance(each, plain)
        or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        or (isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant | ast.List))
        for each in body
    )
