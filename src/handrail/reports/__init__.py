"""The reports of research: one page each for three kinds of readers."""

PAGES = {
    "company.html": "for everybody",
    "choice.html": "for those who choose",
    "research.html": "for those who build the model",
}
