"""The project: what this package brings, on top of what every project needs (the library `handrail`)."""

from handrail import Project

project = Project(__name__)
