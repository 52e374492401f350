"""What a project uses of the engine, and a newer engine no longer has in that way."""

from pathlib import Path

import pytest

from handrail.scaffold.interface import Engine, differences

OLD = {
    "__init__.py": (
        "from typing import TYPE_CHECKING\n\nfrom handrail.lazy_imports import lazy_names\n\n"
        "if TYPE_CHECKING:\n    from handrail.project import Project\n\n"
        '__getattr__ = lazy_names(__name__, {"Project": "project"})\n'
    ),
    "project.py": "class Project:\n    def __init__(self, package, *, root=None):\n        pass\n",
    "lazy_imports.py": "def lazy_names(package, modules): ...\n",
    "training/__init__.py": "from handrail.training.fits import fit, rows as records\n\nLIMIT: int = 3\n",
    "training/fits.py": (
        "try:\n    import fast\nexcept ImportError:\n    fast = None\n\n"
        "def fit(rows, seed, *, weight=None): ...\n\ndef rows(path, /, *more, **named): ...\n\n"
        "@odd\ndef decorated(a): ...\n"
    ),
}
NEW = OLD | {
    "__init__.py": '__getattr__ = lazy_names(__name__, {"Work": "project"})\n',
    "project.py": "class Work:\n    def __init__(self, package, *, root=None):\n        pass\n",
    "training/__init__.py": (
        "from handrail.training.fits import fit\n\nfrom handrail.learning import rows as records\n"
    ),
    "training/fits.py": "def fit(rows, encoding, *, weight=None): ...\n\n@odd\ndef decorated(): ...\n",
    "learning.py": "def rows(path): ...\n\nLIMIT = 3\n",
}


def engine(folder: Path, files: dict[str, str]) -> Engine:
    for name, text in files.items():
        (folder / "handrail" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "handrail" / name).write_text(text)
    return Engine(folder / "handrail")


@pytest.fixture(scope="module")
def engines(tmp_path_factory) -> tuple[Engine, Engine]:
    return engine(tmp_path_factory.mktemp("old"), OLD), engine(tmp_path_factory.mktemp("new"), NEW)


FIT = "from handrail.training import fit\n"
ROWS = "from handrail.training import records\n"
GONE = "handrail.training.LIMIT is no longer there; now handrail.learning.LIMIT"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from handrail import Project", ["1: handrail.Project is no longer there"]),
        ("from handrail import training\n\nprint(training.LIMIT)", [f"3: {GONE}"]),
        ("import handrail.training\n\nprint(handrail.training.LIMIT)", [f"3: {GONE}"]),
        ("import handrail.training as t\n\nprint(t.LIMIT, t.fit)", [f"3: {GONE}"]),
        ("def late():\n    from handrail.training import LIMIT as most\n", [f"2: {GONE}"]),
        ("from handrail.training.fits import fast", ["1: handrail.training.fits.fast is no longer there"]),
        ("import handrail.project", []),
        (f"{FIT}fit(1, 2)", []),
        (f"{FIT}fit(1, seed=2)", ["2: handrail.training.fit: missing a required argument: 'encoding'"]),
        (f"{FIT}fit(*all, seed=2)", ["2: handrail.training.fit: got an unexpected keyword argument 'seed'"]),
        (f"{FIT}fit(**all)", []),
        (f"{FIT}fit()", []),  # it was wrong before
        (f"{ROWS}records(1, 2, 3)", ["2: handrail.training.records: too many positional arguments"]),
        (f"{ROWS}records(1, x=2)", ["2: handrail.training.records: got an unexpected keyword argument 'x'"]),
        ("from handrail.training.fits import decorated\ndecorated(1)", []),
        ("from handrail.nothing import like_this", []),
        ("from .handrail import training", []),
        ("from handrails import Project", []),
        ("from handrail.training import *", []),
        ("<<<<<<< HEAD\nfrom handrail import Project", []),
        ("training = 1\ntraining.LIMIT", []),
    ],
)
def test_lines_are_named_where_the_new_engine_differs(engines, text, expected):
    assert differences({"own.py": text}, *engines) == [f"own.py:{line}" for line in expected]


def test_the_engine_as_it_stands_has_what_it_offers():
    import handrail

    own = Engine(Path(handrail.__file__).parent)
    for name in ("handrail.Project", "handrail.training.Run", "handrail.tasks.Regression", "handrail.etl"):
        assert own.has(name), name
    assert not own.has("handrail.training.nothing_like_this")
    assert list(own.signature("handrail.files.write_whole").parameters) == ["path", "content", "mode"]
