"""The page for the whole company: it says what was measured, in plain words, and does not cheer."""

import re

import pytest

from {{ cookiecutter.__package }}.model.decision import decide
from {{ cookiecutter.__package }}.report import company, page, positions, saving

from .conftest import METRIC, RISING
from .made_up_training import made_up_settings, made_up_training

JARGON = (
    r"\b(AUC|ROC|precision|recall|threshold|MAE|RMSE|baseline|metric|regression|classification|forecasting"
    r"|bootstrap|percentile|bias|margin|confidence|significant|feature)s?\b"
)
HOSTILE = "</script><script>alert('1')</script> \"a\" & {{ '{{ b }}' }}"


@pytest.fixture
def settings(tmp_path):
    return reaching(made_up_settings(tmp_path), reached=True)


@pytest.fixture(scope="module")
def training():
    return made_up_training()


def reaching(settings, reached):
    """Return the settings with a minimum that every model reaches, or none."""
    minimum = -100 if reached is RISING else 100
    return settings.model_copy(update={"accuracy": settings.accuracy.model_copy(update={"minimum": minimum})})


def decided(settings, training):
    """Return the made-up training with what training decides at these costs."""
    decision = decide(training.test.target, training.prediction, settings.error_costs)
    return made_up_training(decision={"margin": 0.0, "tolerable": 0.3} | decision)


def result(settings, training):
    """Return the sentence on top, and whether it speaks for the model."""
    tradeoff = positions.tradeoff_of(settings, training)
    return company.verdict(settings, training.info["evaluation"], tradeoff)


def shown(settings, training):
    """Return the page."""
    return page.render("company.html", settings, training, positions.tradeoff_of(settings, training))


def text_of(html):
    """Return what a reader sees, without pictures and tags."""
    return " ".join(re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def test_a_good_model_is_called_so(settings, training):
    training = decided(settings, training)
    said, good = result(settings, training)
    assert (said, good) == (
        "It is better than the simple technique, as good as was agreed, and it saves money.",
        True,
    )
    text = text_of(shown(settings, training))
    assert said in text
    assert "choice.html shows what each choice costs. Who decides, in writing: Desk." in text


def test_what_is_saved_is_the_difference_of_the_costs(settings, training):
    text = text_of(shown(settings, training))
    model, simple = (
        float(re.search(rf"EUR ([\d.]+) (?:a day )?with the {name}", text)[1])
        for name in ("model", "simple technique")
    )
    told = re.search(r"saves EUR ([\d.]+) a day; .* between EUR ([\d.]+) and EUR ([\d.]+)\.", text)
    saved, low, high = map(float, told.groups())
    assert saved == pytest.approx(simple - model, abs=0.011)
    assert 0 < low < saved < high


def test_a_model_that_is_no_better_is_not_cheered(settings):
    said, good = result(settings, training := made_up_training(knows=False))
    assert not good
    assert said.startswith(("It is not worth using", "It is not clearly better than the simple technique."))
    text = text_of(shown(settings, training))
    assert "As it stands, nothing here speaks for using it." in text
    assert "it saves" not in text
    assert "It is better" not in text


def test_a_model_that_misses_what_was_agreed_is_called_so(settings, training):
    said, good = result(reaching(settings, reached=False), training)
    assert said == "It is better than the simple technique, but not as good as was agreed to be needed."
    assert not good


def test_a_saving_that_may_be_chance_is_not_claimed(settings, training):
    tradeoff = positions.tradeoff_of(settings, training)
    tradeoff.saved["simple"].update(value=1.0, low=-2.0)
    assert company.verdict(settings, training.info["evaluation"], tradeoff) == (
        "It is more accurate than the simple technique, but that it saves money is not shown.",
        False,
    )
    assert saving.said_of_saving(tradeoff, "EUR").startswith("Whether it saves anything against the simple")
    tradeoff.saved["simple"].update(value=-3.0, low=-4.0, high=-2.0)
    assert saving.said_of_saving(tradeoff, "EUR") == "It costs EUR 3 a day more than the simple technique."


def test_too_few_rows_say_nothing(settings):
    said, good = result(settings, training := made_up_training(rows=40))
    assert (said, good) == ("Too little was tested to say how good it is.", False)
    text = text_of(shown(settings, training))
    assert "What is saved cannot be told from so few." in text
    assert "nan" not in text.lower()


def test_too_few_days_say_nothing(settings):
    assert result(settings, made_up_training(days=3))[0] == "Too little was tested to say how good it is."


def test_a_sample_is_called_one(settings, training):
    text = text_of(shown(settings.model_copy(update={"sample": 500}), training))
    assert "It was tried on a small sample, so only a first look: 1,200" in text


def test_nobody_is_made_to_decide_who_is_not_named(settings, training):
    unnamed = settings.model_copy(update={"decision": settings.decision.model_copy(update={"sponsor": "?"})})
    text = text_of(shown(unnamed, training))
    assert "Who decides, in writing: whoever answers for it, not yet named." in text


def test_it_is_short_and_free_of_jargon(settings, training):
    html = shown(settings, training)
    text = text_of(html)
    assert html.count("<svg") == 2
    assert 150 < len(text.split()) < 380  # fits a page
    assert re.findall(JARGON, text, re.IGNORECASE) == []
    assert METRIC not in text


def test_a_picture_shows_what_its_words_say(settings, training):
    html = shown(settings, training)
    for told, dots in re.findall(r'<svg[^>]*aria-label="([^"]*)">(.*?)</svg>', html):
        first, second, *_ = map(int, re.findall(r"\b\d+\b", told.removeprefix("Of 100 ")))
        assert dots.count('class="full"') == first
        assert dots.count("<circle") == 100
        assert first + second == 100 or "predictions" in told


@pytest.mark.parametrize("name", ["company.html", "choice.html"])
def test_texts_are_shown_as_text(name, settings, training):
    decision = settings.decision.model_copy(update={"question": HOSTILE, "sponsor": HOSTILE})
    words = settings.words.model_copy(update={"rows": HOSTILE, "users": HOSTILE})
    texts = {"name": HOSTILE, "description": HOSTILE, "decision": decision, "words": words}
    hostile = settings.model_copy(update=texts)
    html = page.render(name, hostile, training, positions.tradeoff_of(hostile, training))
    assert html.count("<script") == (2 if name == "choice.html" else 0)
    assert html.count("&lt;/script&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &#34;a&#34; &amp;") >= 3
