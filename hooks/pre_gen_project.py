"""Refuse answers that cannot work, all of them at once, before a file is written.

Cookiecutter runs this file with the sentences rendered into it; the rules are `handrail.scaffold.answers`.
`questions.py` goes by the same ones, so that a bad answer is asked again at once and no folder is made.
"""

import sys

if __name__ == "__main__":
    REFUSALS = {{cookiecutter | refusals}}  # noqa: F821
    sys.exit("\n".join(REFUSALS) or 0)
