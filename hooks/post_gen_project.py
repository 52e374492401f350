"""Finish a project: leave out what was not chosen, add the engine's wheel and the record, commit.

Cookiecutter runs this file in the new project, with what it needs rendered into its last lines. The work is
done by the template's own `handrail.scaffold`, loaded by its file: there may be another `handrail` around.
"""

import os
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

SCAFFOLD = "handrail_template_scaffold"


def main(bake: dict, project: Path) -> None:
    """Finish the project. Raises OSError; until the record is written, nothing claims to be whole."""
    template = Path(bake["template"])
    found = spec_from_file_location(SCAFFOLD, template / "src" / "handrail" / "scaffold" / "__init__.py")
    sys.modules[SCAFFOLD] = module_from_spec(found)
    parts = ("names", "record", "standard", "wheel")
    names, record, standard, wheel = (import_module(f"{SCAFFOLD}.{name}") for name in parts)
    names.leave_out(project, set(bake["chosen"]))
    if not bake["index"]:
        written = wheel.write_wheel(template, project / "vendor")
        if bake["engine"] not in written.name:
            raise OSError(0, "changed while it was baked", str(template))
    found = record.examine(template, bake["engine"].partition("+")[0], bake["address"])
    known = bake["engine"], bake["answers"], bake["index"], standard.standard_files(project)
    text = record.as_text(record.record(found, *known))
    (project / record.NAME).write_text(text, encoding="utf-8", newline="\n")
    remark = commit(bake, project)
    place = record.place_on_this_machine(template, bake["address"] or "")
    if place and not found.address and (project / ".git").exists():
        record.remember(project, place)
    if remark:
        print(remark, file=sys.stderr)
    if bake["by_cookiecutter"]:
        tell_next_steps(bake, project)


def commit(bake: dict, project: Path) -> str:
    """Make the first commit; return what has to be said about it, or nothing."""
    repository = import_module(f"{SCAFFOLD}.repository")
    if not bake["by_cookiecutter"]:  # cruft compares two renderings in a repository of its own
        return f"Not baked by cookiecutter itself: no repository was made. Later: {repository.LATER}."
    repository.put_back(project)
    return repository.first_commit(project, f"Bake {project.name} with Handrail", *bake["author"])


def tell_next_steps(bake: dict, project: Path) -> None:
    """Print the commands that come next."""
    slug = bake["answers"]["project_slug"]
    here = project.parent == Path(os.environ.get("PWD", project.parent)).resolve()
    first = "demo" if "research" in bake["chosen"] else "status"
    steps = f"cd {slug if here else project}", f"uv run {slug} {first}", "uv run pytest"
    print(f"{slug} is ready. Next:", *steps, sep="\n  ")


if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder for temporary files, which anybody may write to
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    try:
        main({{cookiecutter | for_hook}}, Path.cwd())  # noqa: F821
    except OSError as error:
        what = f"{error.filename or Path.cwd()}: {error.strerror or error}"
        sys.exit(f"{what}. No project was made: mend that, then bake again.")
    except KeyboardInterrupt:
        sys.exit(130)
