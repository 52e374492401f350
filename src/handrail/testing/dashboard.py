"""The page of the dashboard, run as Streamlit runs it, without a browser."""

from typing import TYPE_CHECKING

from handrail.config.settings import Settings

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

MOST_SECONDS = 120


def dashboard_page(settings: Settings) -> "AppTest":
    """Return the page of a workspace as it was shown once; `page.metric`, `page.info`, ... are parts of it.

    See Streamlit's `AppTest`. What a section tells in place of its figures is in `page.info`, in Markdown.
    """
    from streamlit.testing.v1 import AppTest

    return AppTest.from_function(_page, kwargs={"settings": settings}, default_timeout=MOST_SECONDS).run()


def _page(settings):  # its source alone is run
    settings.project.dashboard(settings)
