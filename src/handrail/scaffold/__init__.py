"""A project's beginning: which parts it has, its record, its wheel of the engine, its first commit.

Standard library only, and nothing of the rest of `handrail` is imported: the hooks load this folder from the
template, by a name of its own, in whatever Python cookiecutter runs on.
"""
