"""What is tested: the project in this folder, whatever this shell has set for it."""

from pathlib import Path

from handrail.testing import isolated

import {{ cookiecutter.__package }}

ROOT = Path(__file__).parents[1]
project = isolated({{ cookiecutter.__package }}.project, ROOT)
