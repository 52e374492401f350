"""The image of a project whose data is processed elsewhere: it reaches PostgreSQL, or runs Spark."""

import os
import shutil
import subprocess
from contextlib import ExitStack

import duckdb
import pytest

from tests.engine.support.engines import write_raw
from tests.engine.support.postgres_server import binaries, postgres_server
from tests.engine.support.workspaces import PROJECT
from tests.projects.image import NAMES, Stage, build, container, obstacle
from tests.template.baking import Project, bake_new, ran

IMPOSSIBLE = obstacle()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(IMPOSSIBLE is not None, reason=str(IMPOSSIBLE)),
]
ADDRESS = "LATE_FLIGHTS_COMPUTE_URL"
# By few rows, of no example any more, no gate is passed.
LIVE = """
from handrail.registry.live import make_live
from handrail.registry.versions import newest_version
from late_flights import project

settings = project.settings()
make_live(settings, newest_version(settings))
"""
LACKING = {
    "postgres": None if binaries() else "PostgreSQL is not here (Debian's package postgresql)",
    "spark": None if shutil.which("java") else "java is not here (Debian's package default-jre-headless)",
}
ENGINES = [
    pytest.param(
        name,
        marks=[
            pytest.mark.xdist_group(f"container {name}"),
            pytest.mark.skipif(LACKING[name] is not None, reason=str(LACKING[name])),
        ],
    )
    for name in LACKING
]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request, tmp_path_factory):
    """Give the name of an engine, to which few rows are brought; a database is there for as long."""
    raw = write_raw(tmp_path_factory.mktemp("raw") / "few", PROJECT.module("etl.extract").example_folder())
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("LATE_FLIGHTS_DATA__SOURCE", str(raw))
        if request.param == "postgres":
            patch.setenv(ADDRESS, stack.enter_context(postgres_server()))
        yield request.param


@pytest.fixture(scope="module")
def project(engine, cookies_session) -> Project:
    """Return a project with its table on the engine, and a live model."""
    answers = {"stage": "production", "compute": engine, "notebooks": "none", "ci": "none"}
    project = bake_new(cookies_session, answers)
    for verb in ("etl", "train --no-round"):
        ran(project, "uv", "run", project.slug, *verb.split())
    ran(project, "uv", "run", "python", "-c", LIVE)
    return project


@pytest.fixture(scope="module")
def image(project, tmp_path_factory) -> Stage:
    """Return the image of the project's Dockerfile, its data its user's."""
    folder = tmp_path_factory.mktemp("image")
    stage = build(project.path, project.text("3-production/Dockerfile"), folder)[""]
    subprocess.run(["chown", "-R", stage.user, project.path / "data"], check=True)
    return stage


def scored(project: Project, stage: Stage, **variables: str) -> tuple[int, str]:
    """Score two months of the loaded table in a container; return its status, and all that it says."""
    words = ["score", "--from", "2013-10-01", "--to", "2013-12-01"]
    models, data = project.path / "models", project.path / "data"
    network = ADDRESS in variables
    with container(stage, models, data, *words, network=network, **variables) as scoring:
        said = scoring.process.communicate(timeout=300)[0]
    return scoring.process.returncode, said


def test_it_holds_what_asks_the_engine_and_nothing_that_trains(engine, image):
    site = next(image.folder.glob("app/.venv/lib/python3*/site-packages"))
    packages = {path.name.split("-")[0] for path in site.glob("*.dist-info")}
    assert {
        "handrail",
        "onnxruntime",
        "sqlglot",
        {"postgres": "psycopg", "spark": "pyspark"}[engine],
    } <= packages
    assert not {"scikit_learn", "skl2onnx", "matplotlib", "pytest", "pip", "uv"} & packages


def test_it_scores_the_loaded_table_on_the_engine(engine, project, image):
    variables = {ADDRESS: os.environ[ADDRESS]} if engine == "postgres" else {}
    status, said = scored(project, image, **variables)
    assert status == 0, said
    table = project.path / "data" / "departures.parquet"
    asked = "scheduled_at >= '2013-10-01' AND scheduled_at < '2013-12-01'"
    ((there,),) = duckdb.sql(f"SELECT count(*) FROM '{table}' WHERE {asked}").fetchall()
    assert there > 3000
    assert f"{there:,} rows scored" in said
    (found,) = (project.path / "data" / "predictions").glob("scored-2013-10-01-2013-12-01-*")
    files = f"{found}/**/*.parquet" if found.is_dir() else str(found)
    counted = f"SELECT count(*), count(DISTINCT prediction) > 100 FROM '{files}'"
    assert duckdb.sql(counted).fetchall() == [(there, True)]
    assert found.stat().st_uid == 1000


def test_what_the_engine_needs_and_has_not_is_told_in_a_line(engine, project, image):
    """Of PostgreSQL the address, of Spark the name of a user whom the image doesn't know."""
    told = {"postgres": f"{ADDRESS} is not set", "spark": "user 1000 has none here"}[engine]
    names = image.folder / "etc" / "passwd"
    text = names.read_text()
    names.write_text(NAMES["passwd"])
    try:
        status, said = scored(project, image)
    finally:
        names.write_text(text)
    assert status == 1
    assert told in said
    assert "Traceback" not in said
