"""The tests, which do not see what this shell has set for the project."""

import os

from {{ cookiecutter.__package }}.settings import ENV_PREFIX

for name in [name for name in os.environ if name.startswith(ENV_PREFIX)]:
    del os.environ[name]
