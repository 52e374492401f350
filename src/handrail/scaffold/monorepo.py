"""A project as one of several in a repository: what a forge reads only at the top is lifted there.

Workflows get a name of their own, a filter by the project's folder, and work in that folder. On GitLab the
project has a pipeline of its own, which a job at the top starts. Both renderings of an update are lifted in
the same way, so that these files are merged like others. What several projects share at the top (`JOINED`)
is written once, with the project, and is the team's then.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import UpdateError
from .record import NAME, as_text
from .standard import LETTERS, standard_files

LIFTED = "repository_folder"  # in the record: where the project lay when its files were lifted
WORKFLOWS, DEPENDABOT, PIPELINE = ".github/workflows", ".github/dependabot.yml", ".gitlab-ci.yml"
PIPELINES, HOOKS, RENOVATE = ".gitlab/projects", ".pre-commit-config.yaml", "renovate.json"
PLAIN = re.compile(r"[\w.-]+(?:/[\w.-]+)*")
LIVE = re.compile(r"\bLIVE_WORKSPACE\b")
EVENTS = ("push", "pull_request")
TOP_PIPELINE = f"""\
# Each project of this repository has a pipeline of its own: a job in {PIPELINES} starts it.
workflow:
  auto_cancel:
    on_new_commit: interruptible
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH

include:
  - local: {PIPELINES}/*.yml
"""
TOP_HOOKS = """\
# Local hooks: they run the versions that each project pins, and need no network.
# Once: uvx pre-commit install
repos:
"""


def lifted(project: Path, folder: str) -> dict[str, bytes]:
    """Take out of a rendering what belongs to the top of its repository; return that, by name from there.

    What stays is changed in place, the record included. `folder` is where the project lies, from the top,
    with forward slashes. Raises UpdateError where a file can't be lifted.
    """
    if not PLAIN.fullmatch(folder):
        raise UpdateError(
            f"{folder}: workflows can't look at a folder of that name. Take letters, digits, dots and hyphens"
        )
    name, found = dashed(folder), {}
    for path in sorted((project / WORKFLOWS).glob("*.yml")):
        kept = f"{WORKFLOWS}/{name}-{path.name}"
        text = github_workflow(path.read_text(encoding="utf-8"), folder, kept)
        found[kept] = own_words(text, folder).encode()
        path.unlink()
    if (project / PIPELINE).is_file():
        found[f"{PIPELINES}/{name}.yml"] = starting_job(folder).encode()
        for path in (project / PIPELINE, *sorted((project / ".gitlab").glob("*.yml"))):
            rewrite(path, own_words(gitlab_pipeline(path.read_text(encoding="utf-8"), folder), folder))
    for shared in (DEPENDABOT, HOOKS, RENOVATE):
        (project / shared).unlink(missing_ok=True)
    for each in (project / WORKFLOWS, project / ".github"):
        if each.is_dir() and not any(each.iterdir()):
            each.rmdir()
    for path in project.rglob("*.md"):
        rewrite(path, own_words(pointing_up(path.read_text(encoding="utf-8"), folder), folder))
    keep_in_record(project, folder, found)
    return found


def dashed(folder: str) -> str:
    """Return the name that a project's files have at the top: its folder, with hyphens."""
    return folder.replace("/", "-")


def up(folder: str) -> str:
    """Return the way from a project's folder to the top, as `../../`."""
    return "../" * (folder.count("/") + 1)


def rewrite(path: Path, text: str) -> None:
    """Write a text with its own line ends."""
    path.write_text(text, encoding="utf-8", newline="\n")


def own_words(text: str, folder: str) -> str:
    """Return a text in which what would be the same for each project has a name for this one."""
    name = dashed(folder)
    text = LIVE.sub(f"LIVE_WORKSPACE_{re.sub(r'[^A-Z0-9]', '_', name.upper())}", text)
    text = re.sub(r"\bhandrail-update\b(?! -c)", f"handrail-update-{name}", text)
    return text.replace('"Update from the template"', f'"Update {folder} from the template"')


def pointing_up(text: str, folder: str) -> str:
    """Return a text of the project that names its workflows where they are now."""
    text = text.replace(f"{WORKFLOWS}/", f"{up(folder)}{WORKFLOWS}/{dashed(folder)}-")
    for shared in (DEPENDABOT, RENOVATE):
        text = re.sub(rf"(?<![\w/.]){re.escape(shared)}", f"{up(folder)}{shared}", text)
    return text


def github_workflow(text: str, folder: str, kept: str) -> str:
    """Return a workflow that runs where something in the folder has changed, and works there.

    `kept` is its name at the top. Raises UpdateError where its lines are not written as here.
    """
    paths = f"    paths: {json.dumps([f'{folder}/**', kept], ensure_ascii=False)}\n"
    text = re.sub(r"^name: *(.+)$", rf"name: {folder} \1", text, count=1, flags=re.MULTILINE)
    text = re.sub(rf"^  (?:{'|'.join(EVENTS)}):\n", lambda found: found[0] + paths, text, flags=re.MULTILINE)
    text = re.sub(r"^(  group: +)", rf"\g<1>{dashed(folder)}-", text, count=1, flags=re.MULTILINE)
    defaults = f"defaults:\n  run:\n    working-directory: {json.dumps(folder, ensure_ascii=False)}\n\n"
    text = re.sub(r"^jobs:\n", f"{defaults}jobs:\n", text, count=1, flags=re.MULTILINE)
    found = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes nothing but texts, lists and tables
    asked = found.get("on")
    twice = len(re.findall(r"^defaults:", text, re.MULTILINE)) > 1
    unfiltered = not isinstance(asked, Mapping) or any(
        "paths" not in (asked[event] or {}) for event in EVENTS if event in asked
    )
    if twice or unfiltered or found.get("defaults") != {"run": {"working-directory": folder}}:
        raise UpdateError(
            f"{kept}: can't be filtered by folder. Write its events on lines of their own, and no defaults"
        )
    return text


def gitlab_pipeline(text: str, folder: str) -> str:
    """Return a pipeline that a job at the top starts, and that works in the folder."""
    cd = f"cd {shlex.quote(folder)}"
    text = text.replace("$CI_PIPELINE_SOURCE", "$PARENT_PIPELINE_SOURCE")
    text = re.sub(r"^( +)before_script: *\[\]$", rf"\1before_script:\n\1  - {cd}", text, flags=re.MULTILINE)
    text = re.sub(r"^( +)before_script:\n(?!\1  - cd )", rf"\g<0>\1  - {cd}\n", text, flags=re.MULTILINE)
    text = re.sub(r"^( +- local: )/?(\S+)$", rf"\1{folder}/\2", text, flags=re.MULTILINE)
    text = re.sub(r"^( +dotenv: )", rf"\g<1>{folder}/", text, flags=re.MULTILINE)
    return re.sub(r"^( +resource_group: )", rf"\g<1>{folder}/", text, flags=re.MULTILINE)


def starting_job(folder: str) -> str:
    """Return the job at the top that starts a project's own pipeline."""
    return f"""\
# The pipeline of {folder}: where something in its folder has changed, or a schedule names it as PROJECT.
{folder}:
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule" && $PROJECT == "{folder}"
    - if: $CI_PIPELINE_SOURCE != "schedule"
      changes: ["{folder}/**/*", "{PIPELINES}/{dashed(folder)}.yml"]
  variables:
    PARENT_PIPELINE_SOURCE: $CI_PIPELINE_SOURCE
  trigger:
    include:
      - local: {folder}/{PIPELINE}
    strategy: depend
    forward:
      pipeline_variables: true
"""


def keep_in_record(project: Path, folder: str, beside: Mapping[str, bytes]) -> None:
    """Have the record say that the project was lifted, and by which files it is checked now."""
    kept = json.loads((project / NAME).read_text(encoding="utf-8"))
    above = {
        f"{up(folder)}{name}": hashlib.sha256(content).hexdigest()[:LETTERS]
        for name, content in beside.items()
    }
    kept |= {LIFTED: folder, "standard": standard_files(project) | above}
    rewrite(project / NAME, as_text(kept))


def shared_files(project: Path) -> dict[str, str]:
    """Return the files of a rendering, before it is lifted, that several projects share at the top."""
    shared = (DEPENDABOT, PIPELINE, HOOKS, RENOVATE)
    return {
        name: (project / name).read_text(encoding="utf-8") for name in shared if (project / name).is_file()
    }


def joined(top: Path, shared: Mapping[str, str], folder: str) -> tuple[dict[str, str], list[str]]:
    """Return the shared files at the top as they are to be, and what people have to add by themselves.

    A file that needs nothing is left out. Lines are only ever added, and only where what was there is read
    as before.
    """
    new, remarks = {}, []
    for name, text in shared.items():
        path = top / name
        there = path.read_text(encoding="utf-8") if path.is_file() else None
        wanted, remark = JOINED[name](there, text, folder)
        if wanted is not None and wanted != there:
            new[name] = wanted
        remarks += [f"{name}: {remark}"] if remark else []
    return new, remarks


def joined_dependabot(there: str | None, text: str, folder: str) -> tuple[str | None, str]:
    """Add what a project has looked after; the actions are looked after once."""
    own = re.sub(r"^(    directory: )/(.+)$", rf"\1/{folder}/\2", text, flags=re.MULTILINE)
    if there is None:
        return own, ""
    known = loaded(there)
    had = {(each.get("package-ecosystem"), each.get("directory")) for each in entries(known, "updates")}
    new = [
        each
        for each in entries(loaded(own), "updates")
        if (each["package-ecosystem"], each["directory"]) not in had
    ]
    return with_entries(there, known, "updates", new)


def joined_hooks(there: str | None, text: str, folder: str) -> tuple[str | None, str]:
    """Add a project's hooks, for the files in its folder."""
    groups = [
        group | {"hooks": [hook_in(folder, hook) for hook in group["hooks"]]}
        for group in entries(loaded(text), "repos")
    ]
    there = TOP_HOOKS if there is None else there
    return with_entries(there, loaded(there) or {}, "repos", groups)


def hook_in(folder: str, hook: Mapping[str, Any]) -> dict[str, Any]:
    """Return a hook that runs a project's tools on the files in its folder."""
    where = "--directory" if hook.get("pass_filenames") is False else "--project"
    entry = re.sub(r"^uv run ", f"uv run {where} {folder} ", hook.get("entry", ""))
    return {
        **hook,
        "name": f"{folder} {hook['name']}",
        "entry": entry,
        "files": f"^{folder.replace('.', '[.]')}/",
    }


def joined_pipeline(there: str | None, text: str, folder: str) -> tuple[str | None, str]:
    """Have the pipeline at the top read the jobs that start the projects' own."""
    if there is None:
        return TOP_PIPELINE, ""
    if f"{PIPELINES}/" in there:
        return None, ""
    line = f"  - local: {PIPELINES}/*.yml\n"
    if re.search(r"^include:\n", there, re.MULTILINE):
        new = re.sub(r"^include:\n", f"include:\n{line}", there, count=1, flags=re.MULTILINE)
    else:
        new = f"{there.rstrip()}\n\ninclude:\n{line}"
    again = len(re.findall(r"^include:", new, re.MULTILINE)) > 1
    before, after = loaded(there), loaded(new)
    wanted = {**(before or {}), "include": [{"local": f"{PIPELINES}/*.yml"}, *entries(before, "include")]}
    if after == wanted and not again:
        return new, ""
    return None, f"is not read as a plain file. Add to its include: {line.strip(' -')}".rstrip()


def joined_renovate(there: str | None, text: str, folder: str) -> tuple[str | None, str]:
    """Have the bot's settings at the top, unless there are some."""
    return (text, "") if there is None else (None, "")


JOINED = {
    DEPENDABOT: joined_dependabot,
    HOOKS: joined_hooks,
    PIPELINE: joined_pipeline,
    RENOVATE: joined_renovate,
}


def loaded(text: str) -> Any:
    """Return what a YAML file holds; None where it can't be read, as with tags of its own."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def entries(held: Any, key: str) -> list[Any]:
    """Return the list of a file that is called `key`; empty where there is none."""
    found = held.get(key) if isinstance(held, Mapping) else None
    return found if isinstance(found, list) else []


def with_entries(there: str, known: Any, key: str, new: list[Any]) -> tuple[str | None, str]:
    """Return a text whose last list has some entries more, or why it has to be done by hand."""
    if not new:
        return None, ""
    indent = " " * next((len(found[1]) for found in re.finditer(r"^( *)- ", there, re.MULTILINE)), 2)
    lines = yaml.safe_dump(new, sort_keys=False, allow_unicode=True, width=1000).splitlines()
    text = f"{there.rstrip()}\n" + "".join(f"{indent}{line}\n" for line in lines)
    wanted = {**(known if isinstance(known, Mapping) else {}), key: [*entries(known, key), *new]}
    if loaded(text) == wanted:
        return text, ""
    shown = json.dumps(new, ensure_ascii=False)
    return None, f"its last part is not {key}, so add to that yourself: {shown}"


def pipeline_reads(top: Path, beside: Mapping[str, bytes]) -> list[str]:
    """Return what is to be said where the pipeline at the top doesn't read a project's job."""
    if not any(name.startswith(f"{PIPELINES}/") for name in beside):
        return []
    path = top / PIPELINE
    if path.is_file() and f"{PIPELINES}/" in path.read_text(encoding="utf-8"):
        return []
    return [
        f"{PIPELINE} at the top does not read {PIPELINES} yet. Add to its include: local: {PIPELINES}/*.yml"
    ]
