"""The command line: the verbs of the library, and the project's own beside them.

A verb of one's own is a function of the settings below `@main.verb()`; its docstring is its help, and options
are click's. The help lists it, and it takes `--sample N` like the others.
"""

from handrail.cli import command_line

from . import project

main = command_line(project)
