"""Do the tests notice a feature that is computed wrongly? Each is made wrong once, and they have to fail.

Mutation testing: DeMillo, Lipton and Sayward, Hints on Test Data Selection, Computer (1978).
"""

from handrail.config.settings import PACKAGE
from handrail.contract.schema import Role, of_role
from handrail.errors import ProjectError
from handrail.readiness.context import ReadinessContext
from handrail.readiness.subprocesses import answer_of

TESTS = "tests/test_example.py"
MOST_SECONDS = 1800
# The features come over the command line. One that is wrong has its greatest value everywhere, and its least
# where that would be right: the contract allows both. `run_etl` gives what it loaded first, while
# nothing was wrong, with one feature made wrong.
MUTATED = f"""
import contextlib, io, json, os, shutil, sys, tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from {PACKAGE}.contract import TABLE
from {PACKAGE}.engine import connect, parquet, write_parquet
from {PACKAGE}.etl import pipeline
from {PACKAGE}.etl.load import table_path

read_query, run_etl, first, mutant = pipeline.read_query, pipeline.run_etl, [], ""


def wrong(source):
    if not mutant:
        return source
    ends = f"(SELECT max({{mutant}}) AS most, min({{mutant}}) AS least FROM before)"
    other = f"CASE WHEN {{mutant}} = most THEN nullif(least, most) ELSE most END AS {{mutant}}"
    return f"WITH before AS ({{source}}\\n) SELECT before.* REPLACE ({{other}}) FROM before, {{ends}}"


def loaded(settings, on_step):
    if settings.sample:
        return run_etl(settings, on_step)
    if not first:
        first.append(run_etl(settings, on_step))
        shutil.copytree(settings.workspace / "data", kept)
    else:
        shutil.copytree(kept, settings.workspace / "data", copy_function=os.link)
    path = table_path(settings, TABLE)
    with connect(settings) as connection:
        write_parquet(connection, wrong(f"SELECT * FROM {{parquet(kept / path.name)}}"), path)
    return replace(first[0], path=path)


def status():
    with contextlib.redirect_stdout(io.StringIO()):
        return int(pytest.main(["-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "{TESTS}"]))


with tempfile.TemporaryDirectory() as folder:
    kept = Path(folder) / "data"
    pipeline.run_etl = loaded
    found = {{"": status()}}
    pipeline.read_query = lambda: wrong(read_query().rstrip().rstrip(";"))
    for mutant in sys.argv[1:] if found[""] == 0 else ():
        found[mutant] = status()
print(json.dumps(found))
"""


def mutants_noticed(context: ReadinessContext) -> str:
    """Run the tests of the transformation, once as it is, and once for each feature made wrong."""
    root = context.settings.root
    if not (root / TESTS).is_file():
        raise ProjectError(f"{TESTS}: no such file; write down what you know of your data for certain")
    names = [column.name for column in of_role(context.settings.project.contract, Role.FEATURE)]
    found = answer_of(
        MUTATED, *names, folder=root, seconds=MOST_SECONDS, failed=f"{TESTS}: the tests don't run:"
    )
    if found[""]:
        raise ProjectError(f"{TESTS}: the tests fail as it is; run `uv run pytest {TESTS}`")
    survived = [name for name in names if not found[name]]
    if survived:
        raise ProjectError(
            f"{TESTS}: {name} was made wrong in every row, and no test failed; test it on a row that you know"
            for name in survived
        )
    return f"{len(names)} features were made wrong one by one, and {TESTS} failed each time"
