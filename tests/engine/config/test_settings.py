"""Every mistake in project.yaml or the environment is one sentence: where, what rule, what was given."""

import re
import shutil

import pytest
import yaml

from handrail import Project, ProjectError, errors
from handrail.config.sections import Compute
from handrail.config.settings import read_settings
from tests.engine.support.evidence import write, write_facts
from tests.engine.support.names import commands
from tests.engine.support.workspaces import PROJECT

PREFIX = PROJECT.env_prefix


def refused(root):
    """Return the sentences with which the settings are refused, the lines checked and taken out."""
    lines = (root / "project.yaml").read_bytes().splitlines()
    with pytest.raises(errors.ProjectError) as found:
        read_settings(PROJECT.at(root))
    for problem in found.value.problems:
        place = re.match(r"project\.yaml, line (\d+): ([\w.]*)", problem)
        if place and "." in place[2]:
            assert place[2].rpartition(".")[2].encode() in lines[int(place[1]) - 1]
    return [re.sub(r"^(project\.yaml), line \d+", r"\1", problem) for problem in found.value.problems]


def test_settings_of_spark_may_be_numbers_and_truths():
    given = {"spark.sql.shuffle.partitions": 4, "spark.speculation": True, "spark.executor.memory": "4g"}
    assert Compute(spark=given).spark == {
        "spark.sql.shuffle.partitions": "4",
        "spark.speculation": "true",
        "spark.executor.memory": "4g",
    }


def test_the_project_itself_can_be_read():
    assert read_settings(PROJECT).name == "Late Flights"


@pytest.mark.parametrize(
    ("section", "changes", "sentence"),
    [
        ("decision", {"decided_by": None}, "decision: a go or no-go needs decided_by and decided_on"),
        ("decision", {"decided_on": None}, "decision: a go or no-go needs decided_by and decided_on"),
        (
            "decision",
            {"decided_on": "2999-01-01"},
            "decision.decided_on: 2999-01-01 is in the future (given: '2999-01-01'); write the day on which "
            "it was decided, as 2026-03-31",
        ),
        (
            "decision",
            {"go": "maybe"},
            "decision.go: Input should be 'go', 'no-go' or 'open' (given: 'maybe'); write go, no-go or open",
        ),
        (
            "accuracy",
            {"lowest": 0.7},
            "accuracy.lowest: no such field; take one of metric, minimum, baseline_by, baseline_takes, "
            "tolerance, range_level",
        ),
        (
            "accuracy",
            {"range_level": 1},
            "accuracy.range_level: Input should be less than 1 (given: 1); write a share below 1, as 0.9",
        ),
        ("error_costs", {"too_high": 0}, "error_costs.too_high: Input should be greater than 0 (given: 0)"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, section, changes, sentence):
    write_facts(tmp_path, **{section: changes})
    assert refused(tmp_path) == [f"project.yaml: {sentence}"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("decision: [", "project.yaml: not valid YAML: expected the node content, but found"),
        ("decision: {", "project.yaml: not valid YAML: expected the node content, but found"),
        ("- a list", "project.yaml: expected names and values; write each as `name: value`"),
        ("", "project.yaml: expected names and values; write each as `name: value`"),
    ],
)
def test_a_file_that_is_no_project_is_refused(tmp_path, text, sentence):
    write(tmp_path, "project.yaml", text)
    (found,) = refused(tmp_path)
    assert found.startswith(sentence)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "project.yaml").write_bytes("name: Zoë".encode("latin-1"))
    (found,) = refused(tmp_path)
    assert found == "project.yaml: not UTF-8 at byte 8; save it as UTF-8"


def test_all_mistakes_are_told_together(tmp_path):
    write_facts(tmp_path, accuracy={"minimum": "high"})
    facts = yaml.safe_load((tmp_path / "project.yaml").read_text(encoding="utf-8"))
    del facts["decision"]
    write(tmp_path, "project.yaml", yaml.safe_dump(facts))
    high, missing = sorted(refused(tmp_path))
    assert high.startswith("project.yaml: accuracy.minimum: Input should be a valid number")
    assert missing.endswith(": is missing; add it")


def test_the_environment_wins(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(f"{PREFIX}ACCURACY__MINIMUM", "0.61")
    assert read_settings(PROJECT.at(tmp_path)).accuracy.minimum == 0.61


def test_a_date_that_cannot_be_is_told_with_its_field(tmp_path):
    write_facts(tmp_path, decision={"decided_on": "2026-02-30"})
    text = (tmp_path / "project.yaml").read_text(encoding="utf-8").replace("'2026-02-30'", "2026-02-30")
    write(tmp_path, "project.yaml", text)
    (found,) = refused(tmp_path)
    assert found.startswith("project.yaml: decision.decided_on: Input should be a valid date")
    assert found.endswith("(given: '2026-02-30'); write the day on which it was decided, as 2026-03-31")


def test_a_name_that_stands_twice_is_told(tmp_path):
    write_facts(tmp_path)
    text = (tmp_path / "project.yaml").read_text(encoding="utf-8")
    write(tmp_path, "project.yaml", f"{text}description: another\n")
    assert refused(tmp_path) == [
        "project.yaml: description: a second one of that name; give it a name of its own"
    ]


def test_a_wrong_variable_is_named_with_its_value(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(f"{PREFIX}ACCURACY__MINIMUM", "high")
    (found,) = refused(tmp_path)
    assert found.startswith(f"environment, {PREFIX}ACCURACY__MINIMUM: Input should be a valid number")
    assert found.endswith("(given: 'high')")


def test_an_empty_variable_is_none(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(f"{PREFIX}ACCURACY__MINIMUM", "")
    assert read_settings(PROJECT.at(tmp_path)).accuracy.minimum == 0.7


def test_an_environment_variable_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    write_facts(tmp_path)
    monkeypatch.setenv(f"{PREFIX}DECISION", "go")
    (found,) = refused(tmp_path)
    assert found.startswith(f'environment, {PREFIX}*: error parsing value for field "decision"')


def test_a_sample_works_in_a_folder_of_its_own(tmp_path):
    write_facts(tmp_path)
    assert read_settings(PROJECT.at(tmp_path), sample=500).workspace == tmp_path / "sample" / "500"


@pytest.mark.parametrize("place", ["work", "/elsewhere/work"])
def test_a_sample_leaves_a_workspace_elsewhere_alone(tmp_path, monkeypatch, place):
    write_facts(tmp_path)
    monkeypatch.setenv(f"{PREFIX}WORKSPACE", place)
    assert read_settings(PROJECT.at(tmp_path)).workspace == tmp_path / place
    assert read_settings(PROJECT.at(tmp_path), sample=500).workspace == tmp_path / place / "sample" / "500"


def test_a_path_is_told_as_it_lies_in_the_project_or_whole(tmp_path):
    write_facts(tmp_path)
    read = read_settings(PROJECT.at(tmp_path))
    assert read.shown(tmp_path / "reports" / "ideas.html") == "reports/ideas.html"
    assert read.shown(tmp_path.parent / "reports") == str(tmp_path.parent / "reports")


def test_the_command_line_says_it_in_one_line(tmp_path, monkeypatch, capsys):
    write_facts(tmp_path, decision={"decided_by": None})
    monkeypatch.chdir(tmp_path)
    assert commands.main(["status"]) == 1
    told = capsys.readouterr()
    problem = r"error: project\.yaml, line \d+: decision: a go or no-go needs decided_by and decided_on\n"
    assert re.fullmatch(problem, told.err)
    assert told.out == ""


def test_outside_a_project_it_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert commands.main(["status"]) == 1
    assert capsys.readouterr().err.endswith("no project.yaml here or above; run this inside the project\n")


def test_a_folder_with_another_package_of_the_same_name_is_refused(tmp_path):
    write_facts(tmp_path)
    own = tmp_path / "src" / PROJECT.package
    shutil.copytree(PROJECT.root / "src" / PROJECT.package, own)
    assert read_settings(PROJECT.at(tmp_path)).root == tmp_path  # a copy is no other one
    (own / "contract.py").write_text("# another version of it\n", encoding="utf-8")
    with pytest.raises(errors.ProjectError) as mixed:
        read_settings(PROJECT.at(tmp_path))
    assert str(mixed.value) == (
        f"{own}: another {PROJECT.package} is imported in this process, from {PROJECT.folder}; run "
        f"`uv run {PROJECT.program}` in this folder, in a process of its own"
    )


def with_kpis(tmp_path, *kpis):
    """Return the root of a project that goes by these KPIs."""
    facts = {"name": "n", "description": "d", "accuracy": {"metric": "roc_auc", "baseline_by": "b"}}
    facts["decision"] = {"question": "q", "sponsor": "s", "kpis": list(kpis), "go": "open"}
    (tmp_path / "project.yaml").write_text(yaml.safe_dump(facts), encoding="utf-8")
    return Project("made_up_kpis", given={"parts": ()}, root=tmp_path)


def test_a_kpi_is_a_text_or_has_a_goal_and_a_name(tmp_path):
    goals = {"name": "saved", "text": "money saved", "at_least": 10, "unit": "EUR"}
    text, least, most = (
        with_kpis(tmp_path, "calls", goals, {"text": "waiting", "at_most": 5}).settings().decision.kpis
    )
    assert (str(text), text.name, text.met(3.0)) == ("calls", "", None)
    assert [least.met(value) for value in (9.9, 10.0)] == [False, True]
    assert [most.met(value) for value in (5.0, 5.1)] == [True, False]


@pytest.mark.parametrize(
    ("kpi", "sentence"),
    [
        ({"name": "saved"}, "is missing; write in words what it is"),
        ({"text": "t", "name": "two words"}, "write small letters, digits and _"),
        ({"text": "t", "at_least": 1, "at_most": 2}, "at_least and at_most are both given"),
        ({"text": "t", "at_least": "much"}, "write the goal as a number"),
        ({"text": "t", "goal": 1}, "goal: no such field; take one of text, name, unit, at_least, at_most"),
    ],
)
def test_a_kpi_that_cannot_be_is_refused(tmp_path, kpi, sentence):
    with pytest.raises(ProjectError) as refusal:
        with_kpis(tmp_path, kpi).settings()
    assert sentence in str(refusal.value)
    assert len(refusal.value.problems) == 1


PASSWORD = "hunter2"
DATABASE = f"postgresql://reader:{PASSWORD}@db.example/raw"


@pytest.mark.parametrize(
    ("section", "changes", "said"),
    [
        (
            "data",
            {"source": DATABASE},
            "data.source: it holds a password, which has no place in a file that others read; set "
            f"{PREFIX}DATA__SOURCE, or PGPASSWORD and an address without it",
        ),
        (
            "data",
            {"source": "ftp://host/raw"},
            "data.source: ftp:// is no kind of storage; write a folder, or s3://, gs:// or abfs:// and the "
            "name of a bucket, or postgresql:// and a host",
        ),
        (
            "storage",
            {"registry": "postgresql://reader@db.example/raw"},
            "storage.registry: postgresql:// is no kind of storage; write a folder, or s3://, gs:// or "
            "abfs:// and the name of a bucket",
        ),
        (
            "storage",
            {"predictions": f"s3://KEY:{PASSWORD}@bucket"},
            "storage.predictions: it holds a key or a token; they belong where the cloud's own tools "
            "look for them",
        ),
    ],
)
def test_an_address_that_can_not_be_used_is_refused_without_its_password(tmp_path, section, changes, said):
    root = with_facts(tmp_path, section, changes)
    (told,) = refused(root)
    assert told == f"project.yaml: {said}"
    assert PASSWORD not in told


def test_a_bucket_is_no_workspace(tmp_path):
    facts = yaml.safe_load((PROJECT.root / "project.yaml").read_text(encoding="utf-8"))
    write(tmp_path, "project.yaml", yaml.safe_dump(facts | {"workspace": "s3://bucket/work"}))
    assert refused(tmp_path) == [
        "project.yaml: workspace: it has to be a folder; what machines share is set by storage.registry and "
        "storage.predictions"
    ]


def test_a_password_in_the_environment_is_nowhere_told(tmp_path, monkeypatch):
    root = with_facts(tmp_path, "data", {"memory_limit": "much"})
    monkeypatch.setenv(f"{PREFIX}DATA__SOURCE", DATABASE)
    monkeypatch.setenv(f"{PREFIX}DATA", DATABASE)
    assert PASSWORD not in "".join(refused(root))
    monkeypatch.delenv(f"{PREFIX}DATA")
    assert PASSWORD not in "".join(refused(root))
    settings = read_settings(PROJECT)
    assert settings.source_address == DATABASE
    assert PASSWORD not in repr(settings) + str(settings.data)
    assert settings.source == settings.workspace / "data" / "source"


def with_facts(folder, section, changes):
    """Write the example's project.yaml with changes into a folder, and return it."""
    facts = yaml.safe_load((PROJECT.root / "project.yaml").read_text(encoding="utf-8"))
    facts[section] = {**facts.get(section, {}), **changes}
    write(folder, "project.yaml", yaml.safe_dump(facts, sort_keys=False))
    return folder


def test_what_is_shared_is_shared_by_the_workspace_alone(tmp_path, monkeypatch):
    monkeypatch.setenv(f"{PREFIX}STORAGE__REGISTRY", "s3://bucket/models")
    assert read_settings(PROJECT).shared.registry == "s3://bucket/models"
    assert read_settings(PROJECT, sample=100).shared.registry is None
    assert read_settings(PROJECT).model_copy(update={"workspace": tmp_path}).shared.registry is None
    monkeypatch.setenv(f"{PREFIX}WORKSPACE", str(tmp_path))
    assert read_settings(PROJECT).shared.registry == "s3://bucket/models"
    write(tmp_path, "replay.json", "{}")
    assert read_settings(PROJECT).shared.registry is None
    monkeypatch.delenv(f"{PREFIX}WORKSPACE")
    monkeypatch.setenv(f"{PREFIX}STORAGE__REGISTRY", "none")
    assert read_settings(PROJECT).shared.registry is None
