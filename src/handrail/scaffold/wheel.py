"""The engine as a wheel, made from the template's own `src/handrail` in a fraction of a second.

It holds what `uv build --wheel` puts into its own; but the version carries the content's hash, nothing is
compressed, and dates and permissions are fixed, so that the same content is the same file on every machine.
"""

import base64
import hashlib
import os
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

PACKAGE = "handrail"
BACKENDS_OWN = ("__pycache__", "*.pyc", "*.pyo")  # what uv_build leaves out unasked
TAG = "py3-none-any"
WHEEL = f"Wheel-Version: 1.0\nGenerator: {PACKAGE}\nRoot-Is-Purelib: true\nTag: {TAG}\n"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # no date in a zip archive can be before
UNIX = 3
FILE, FOLDER = 0o100644 << 16, 0o40755 << 16

Contents = dict[str, bytes]


def engine_version(template: Path) -> str:
    """Return the version of the wheel, as `0.2.0+h1a2b3c4d`: the base, and the hash of its content.

    Raises OSError if the template has no `src/handrail`, no pyproject.toml, README or licence.
    """
    return version_of(sources(template), described(template))


def write_wheel(template: Path, folder: Path) -> Path:
    """Write the wheel of a template's engine into a folder, which is made if need be; return its path.

    The same content gives the same bytes. Raises OSError.
    """
    contents, project = sources(template), described(template)
    version = version_of(contents, project)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{PACKAGE}-{version}-{TAG}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in with_folders(complete(contents, project, version)):
            archive.writestr(entry(name), content)
    return path


def content_version(path: Path) -> str:
    """Return the version that the content of a wheel of ours makes it, whatever its name says.

    Raises OSError, ValueError or KeyError where it is no such wheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            held = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from error
    named = path.name.split("-")[1]
    base = named.partition("+")[0]
    own, plain = f"{PACKAGE}-{named}.dist-info/", f"{PACKAGE}-{base}.dist-info/"
    contents = {name.replace(own, plain, 1): content for name, content in held.items()}
    version = f"\nVersion: {named}\n".encode()
    contents[f"{plain}METADATA"] = contents[f"{plain}METADATA"].replace(
        version, version.replace(named.encode(), base.encode()), 1
    )
    del contents[f"{plain}RECORD"]
    contents[f"{plain}RECORD"] = recorded(contents, f"{plain}RECORD").encode()
    return f"{base}+h{hash_of(contents)}"


def hash_of(contents: Contents) -> str:
    """Return the first eight digits of the hash of all that a wheel holds."""
    return hashlib.sha256(recorded(contents, "").encode()).hexdigest()[:8]


def described(template: Path) -> dict:
    """Return the `[project]` table of the template's pyproject.toml, with the README's text as `readme`."""
    project = tomllib.loads((template / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project | {"readme": (template / project["readme"]).read_text(encoding="utf-8")}


def version_of(contents: Contents, project: Mapping) -> str:
    """Return the base version and the first eight digits of the hash of all that the wheel holds."""
    everything = complete(contents, project, project["version"])
    return f"{project['version']}+h{hash_of(everything)}"


def sources(template: Path) -> Contents:
    """Return the package's files and the licences, by their names in the wheel, in its order."""
    settings = tomllib.loads((template / "pyproject.toml").read_text(encoding="utf-8"))
    backend = settings["tool"]["uv"]["build-backend"]
    left_out = (*BACKENDS_OWN, *backend.get("source-exclude", ()), *backend.get("wheel-exclude", ()))
    package = template / backend["module-root"] / PACKAGE
    names = files_below(package, PACKAGE, left_out)
    contents = {name: (package.parent / name).read_bytes() for name in names}
    for name in settings["project"]["license-files"]:
        contents[f"licenses/{name}"] = (template / name).read_bytes()
    return contents


def files_below(folder: Path, name: str, left_out: tuple[str, ...]) -> Iterator[str]:
    """Yield the files below a folder, files and folders together in order of their names. Raises OSError."""
    for found in sorted(os.scandir(folder), key=lambda found: found.name):
        if any(fnmatchcase(found.name, pattern) for pattern in left_out):
            continue
        if found.is_dir():
            yield from files_below(folder / found.name, f"{name}/{found.name}", left_out)
        else:
            yield f"{name}/{found.name}"


def complete(contents: Contents, project: Mapping, version: str) -> Contents:
    """Return everything that the wheel of a version holds, by name: the files and what describes them."""
    described_in = f"{PACKAGE}-{version}.dist-info"
    whole = {
        f"{described_in}/{name}" if name.startswith("licenses/") else name: content
        for name, content in contents.items()
    }
    whole[f"{described_in}/WHEEL"] = WHEEL.encode()
    whole[f"{described_in}/entry_points.txt"] = entry_points(project["scripts"]).encode()
    whole[f"{described_in}/METADATA"] = metadata(project, version).encode()
    whole[f"{described_in}/RECORD"] = recorded(whole, f"{described_in}/RECORD").encode()
    return whole


def recorded(contents: Contents, own_name: str) -> str:
    """Return the lines of RECORD: each file's name, hash and size in bytes; of RECORD itself, the name."""
    lines = [f"{name},sha256={digest(content)},{len(content)}\n" for name, content in contents.items()]
    return "".join([*lines, f"{own_name},,\n"])


def digest(content: bytes) -> str:
    """Return a SHA-256 hash as RECORD has it: URL-safe base 64, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def entry_points(scripts: Mapping[str, str]) -> str:
    """Return entry_points.txt."""
    return "\n".join(
        ["[console_scripts]", *(f"{name} = {target}" for name, target in scripts.items()), "", ""]
    )


def metadata(project: Mapping, version: str) -> str:
    """Return METADATA, version 2.4 of the format: headers, an empty line, the README."""
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {version}",
        f"Summary: {project['description']}",
        f"Keywords: {','.join(project['keywords'])}",
        f"Author: {', '.join(author['name'] for author in project['authors'])}",
        f"License-Expression: {project['license']}",
        *(f"License-File: {name}" for name in project["license-files"]),
        *(f"Classifier: {classifier}" for classifier in project["classifiers"]),
        *(f"Requires-Dist: {requirement}" for requirement in requirements(project)),
        f"Requires-Python: {project['requires-python']}",
        *(f"Provides-Extra: {extra}" for extra in sorted(project["optional-dependencies"])),
        "Description-Content-Type: text/markdown",
    ]
    return "\n".join([*lines, "", project["readme"]])


def requirements(project: Mapping) -> Iterator[str]:
    """Yield each dependency as METADATA has it: `name>=1,<2 ; marker`, an extra's with that as a marker."""
    for dependency in project["dependencies"]:
        yield with_marker(dependency, "")
    for extra, dependencies in sorted(project["optional-dependencies"].items()):
        for dependency in dependencies:
            yield with_marker(dependency, f"extra == '{extra}'")


def with_marker(dependency: str, extra: str) -> str:
    """Return a dependency with its own marker, if it has one, and the extra's."""
    name, _, marker = (part.strip() for part in dependency.partition(";"))
    own = f"({marker})" if extra and " or " in marker else marker
    markers = " and ".join(part for part in (own, extra) if part)
    return f"{name} ; {markers}" if markers else name


def with_folders(contents: Contents) -> Iterator[tuple[str, bytes]]:
    """Yield every file, and before the first one in a folder the folder itself, as `name/`."""
    seen = set()
    for name, content in contents.items():
        parents = [name[: at + 1] for at, letter in enumerate(name) if letter == "/"]
        for folder in parents[-1:] if ".dist-info/" in name else parents:  # as uv_build has them
            if folder not in seen:
                seen.add(folder)
                yield folder, b""
        yield name, content


def entry(name: str) -> zipfile.ZipInfo:
    """Return what a zip archive says of a file or folder: nothing that differs between machines."""
    info = zipfile.ZipInfo(name, EARLIEST)
    info.external_attr = FOLDER if name.endswith("/") else FILE
    info.create_system, info.create_version, info.extract_version = UNIX, 20, 20
    return info
