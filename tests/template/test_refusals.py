"""What cannot work is refused in a sentence, and nothing half made is left that claims to be whole."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter as bake_in_process

from tests.template.baking import TEMPLATE, isolated
from tests.template.test_routes import World, copied, git, installed

RAN = "{{{{ cycler.__init__.__globals__.os.popen('touch {}').read() }}}}"
WITHOUT_HOOKS = "Without its hooks the template cannot be baked: leave out --accept-hooks no\n"
BAKE = (sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input")


@pytest.fixture
def world(tmp_path) -> World:
    return World(TEMPLATE, tmp_path)


def configured(world: World, **answers: str) -> tuple[str, str]:
    """Write a user's configuration; return the options that name it."""
    path = world.here / "mine.yaml"
    path.write_text(yaml.safe_dump({"default_context": answers}))
    return "--config-file", str(path)


def left(world: World) -> list[str]:
    """Return what is in the folder, but for what a user's home holds."""
    return sorted(path.name for path in world.here.iterdir() if path.name not in ("home", "mine.yaml"))


def test_without_hooks_it_is_refused(world):
    done = world.run(*BAKE, "--accept-hooks", "no")
    assert (done.returncode, done.stdout, done.stderr) == (1, WITHOUT_HOOKS, "")
    assert left(world) == []


def test_without_hooks_it_is_refused_from_python_too_whatever_was_baked_before(tmp_path):
    options = {"no_input": True, "default_config": True, "extra_context": {"stage": "discovery"}}
    bake_in_process(str(TEMPLATE), output_dir=str(tmp_path / "first"), **options)
    with pytest.raises(FailedHookException, match="Without its hooks"):
        bake_in_process(str(TEMPLATE), output_dir=str(tmp_path / "second"), accept_hooks=False, **options)
    assert list((tmp_path / "second").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("key", ["project_name", "description", "author", "project_slug"])
@pytest.mark.parametrize("way", ["typed", "configured"])
def test_no_answer_is_run_as_jinja(way, key, world):
    evil = RAN.format(world.here / "ran")
    options = [f"{key}={evil}"] if way == "typed" else configured(world, **{key: evil})
    done = world.run(*BAKE, *options, *([] if key == "project_slug" else ["project_slug=plain"]))
    assert not (world.here / "ran").exists()
    if key in ("author", "project_slug"):
        assert (done.returncode, evil in done.stdout) == (1, True)
    else:
        record = json.loads((world.here / "plain" / ".handrail.json").read_text(encoding="utf-8"))
        assert record["answers"][key] == evil


@pytest.mark.parametrize(
    "text",
    [
        "{{ cookiecutter.project_name | slugify }}",
        pytest.param("{{cookiecutter.project_slug}}", marks=pytest.mark.slow),
        pytest.param("{{ cookiecutter.author }} and {{cookiecutter.license}}", marks=pytest.mark.slow),
        pytest.param("{% endif %}{{ 7 * 7 }}{% if true %}", marks=pytest.mark.slow),
        pytest.param("{% else %}{{ 7 * 7 }}", marks=pytest.mark.slow),
        "{# gone #}{{",
        pytest.param("{% raw %}", marks=pytest.mark.slow),
    ],
)
def test_text_that_looks_like_the_templates_own_jinja_stays_text(text, world):
    done = world.run(*BAKE, "project_slug=plain", "stage=discovery", f"description={text}")
    assert done.returncode == 0, done.stderr
    record = json.loads((world.here / "plain" / ".handrail.json").read_text(encoding="utf-8"))
    assert record["answers"]["description"] == text
    assert text in (world.here / "plain" / "project.yaml").read_text(encoding="utf-8") + (
        world.here / "plain" / "pyproject.toml"
    ).read_text(encoding="utf-8")


def test_a_bad_default_in_the_configuration_is_refused_and_named(world):
    done = world.run(*BAKE, *configured(world, stage="operating", license="mit", ci="jenkins"))
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "stage 'operating' in your cookiecutter configuration: is no such choice. "
        "Take one of: operation, production, research, discovery",
        "ci 'jenkins' in your cookiecutter configuration: is no such choice. "
        "Take one of: github, gitlab, none",
    ]
    assert left(world) == []


def test_all_bad_texts_are_refused_at_once_wherever_they_come_from(world):
    done = world.run(*BAKE, *configured(world, author="nobody"), "project_slug=Two Words", "description= ")
    assert done.returncode == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["project_slug", "description", "author"]
    assert left(world) == []


def limited(world: World, size: int, *options: str) -> subprocess.CompletedProcess:
    """Bake where no file can be longer than `size` bytes, as on a full disk."""

    def small_files_only():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return subprocess.run(
        [*BAKE, *options],
        cwd=world.here,
        env=isolated(world.here / "home"),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small_files_only,
    )


def test_a_disk_that_is_full_while_files_are_written(world):
    done = limited(world, 6000)
    assert (done.returncode, done.stdout) == (1, "")
    (said,) = done.stderr.splitlines()
    assert said.endswith(": File too large. No project was made: mend that, then bake again.")
    assert left(world) == []


def test_a_disk_that_is_full_while_the_wheel_is_written(world):
    git(world.here, "init", "--quiet", "late-flights")
    done = limited(world, 200_000, "stage=discovery")
    assert (done.returncode, done.stdout) == (
        1,
        "Hook script failed (exit status: 1)\n",
    )  # cookiecutter's words
    (said,) = done.stderr.splitlines()
    assert said.endswith(": File too large. No project was made: mend that, then bake again.")
    assert [path.name for path in (world.here / "late-flights").iterdir()] == [".git"]
    assert left(world) == ["late-flights"]


def interrupted(world: World, moment: str) -> subprocess.CompletedProcess:
    """Bake, and have Ctrl-C pressed in the terminal as soon as a file is there."""
    process = subprocess.Popen(
        BAKE,
        cwd=world.here,
        env=isolated(world.here / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.poll() is None and not list((world.here / "late-flights").glob(moment)):
        pass
    os.killpg(process.pid, signal.SIGINT)
    out, said = process.communicate()
    return subprocess.CompletedProcess(BAKE, process.returncode, out, said)


@pytest.mark.parametrize("moment", ["1-discovery", "vendor/*.whl"], ids=["rendering", "in the last hook"])
def test_ctrl_c_leaves_nothing_behind(moment, world):
    git(world.here, "init", "--quiet", "late-flights")
    done = interrupted(world, moment)
    assert done.returncode == 1
    # Where the signal comes while an object is taken away, Python says so, and goes on with it.
    said = re.sub(r"Exception ignored in: .*?KeyboardInterrupt: *\n", "", done.stderr, flags=re.DOTALL)
    assert said.strip() == "Aborted!"
    assert [path.name for path in (world.here / "late-flights").iterdir()] == [".git"]
    assert left(world) == ["late-flights"]


def test_a_project_killed_in_the_middle_does_not_claim_to_be_whole(world):
    process = subprocess.Popen(
        BAKE, cwd=world.here, env=isolated(world.here / "home"), start_new_session=True
    )
    while process.poll() is None and not list((world.here / "late-flights").glob("1-discovery")):
        pass
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (world.here / "late-flights" / ".handrail.json").exists()


def test_a_folder_in_the_way_is_named(world):
    (world.here / "late-flights").mkdir()
    (world.here / "late-flights" / "mine.txt").write_text("mine")
    done = world.run(*BAKE, "--overwrite-if-exists")
    assert (done.returncode, done.stdout) == (
        1,
        f"{world.here}/late-flights: holds files already. "
        "Move it away, or bake into another folder with --output-dir.\n",
    )
    assert (world.here / "late-flights" / "mine.txt").read_text() == "mine"


def test_a_template_that_changes_while_it_is_baked_is_noticed(tmp_path):
    template = copied(tmp_path / "template")
    hook = template / "hooks" / "post_gen_project.py"
    text = hook.read_text(encoding="utf-8")
    change = '    (template / "README.md").write_text("changed")\n    names, record'
    hook.write_text(text.replace("    names, record", change, 1), encoding="utf-8")
    done = World(template, tmp_path).run(*BAKE[:3], str(template), "--no-input")
    assert done.returncode == 1
    assert done.stderr == (
        f"{template}: changed while it was baked. No project was made: mend that, then bake again.\n"
    )
    assert not (tmp_path / "late-flights").exists()


def test_a_new_choice_without_its_files_fails_the_bake(tmp_path):
    template = copied(tmp_path / "template")
    asked = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
    asked["problem"].append("ranking")
    (template / "cookiecutter.json").write_text(json.dumps(asked))
    done = World(template, tmp_path).run(*BAKE[:3], str(template), "--no-input", "problem=ranking")
    assert (done.returncode, done.stdout) == (
        1,
        "ranking: the template has no part for this answer. "
        "Name a file name@ranking, or test for 'ranking'\n",
    )
    assert not (tmp_path / "late-flights").exists()


@pytest.mark.slow
@pytest.mark.parametrize("version", ["2.5.0", "2.1.1"])
def test_an_old_cookiecutter_is_told_so(version, world):
    python = installed(world, f"cookiecutter=={version}", "setuptools<80")
    done = world.run(python, "-m", "cookiecutter", str(TEMPLATE), "--no-input")
    assert (done.returncode, done.stdout) == (
        1,
        f"cookiecutter {version} is too old: take 2.6 or newer, as uvx does\n",
    )
    assert not (world.here / "late-flights").exists()


def test_a_template_without_the_engine_says_what_is_missing(tmp_path):
    template = copied(tmp_path / "template")
    shutil.rmtree(template / "src")
    done = World(template, tmp_path).run(*BAKE[:3], str(template), "--no-input")
    missing = template / "src" / "handrail" / "scaffold" / "__init__.py"
    assert (done.returncode, done.stdout) == (
        1,
        f"{missing}: not found. The template must be whole: clone it again\n",
    )
    assert not (tmp_path / "late-flights").exists()
