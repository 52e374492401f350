"""The page for the whole company: it says what was measured, in plain words, and does not cheer."""

import re

import pytest

from handrail.reports import company, pages, wording
from handrail.tasks.metric import Metric
from tests.engine.reports.reading import text_of
from tests.engine.support.example import example
from tests.engine.support.made_up_training import made_up_settings, made_up_training

JARGON = (
    r"\b(AUC|ROC|precision|recall|threshold|MAE|RMSE|baseline|metric|regression|classification|forecasting"
    r"|bootstrap|percentile|bias|margin|confidence|significant|feature)s?\b"
)
HOSTILE = "</script><script>alert('1')</script> \"a\" & {{ '{{ b }}' }}"


@pytest.fixture
def settings(settings):
    """Return settings whose minimum every model reaches."""
    return reaching(settings, reached=True)


@pytest.fixture(scope="session")
def decided(of_problem, tmp_path_factory):
    """Return the made-up training with what training decides at these costs."""
    settings = made_up_settings(tmp_path_factory.mktemp("decided"), of_problem)
    known = made_up_training(project=of_problem)
    decision = of_problem.task.decide(known.test.target, known.prediction, settings.error_costs)
    return made_up_training(decision=decision, project=of_problem)


def reaching(settings, reached):
    """Return the settings with a minimum that every model reaches, or none."""
    rising = settings.project.metrics[settings.accuracy.metric].greater_is_better
    minimum = -100 if reached is rising else 100
    return settings.model_copy(update={"accuracy": settings.accuracy.model_copy(update={"minimum": minimum})})


def tradeoff_of(settings, training):
    return settings.project.task.tradeoff(settings, training)


def result(settings, training):
    """Return the sentence on top, and whether it speaks for the model."""
    return company.verdict(settings, training.info["evaluation"], tradeoff_of(settings, training))


def shown(settings, training):
    """Return the page."""
    return pages.render("company.html", settings, training, tradeoff_of(settings, training))


def test_a_good_model_is_called_so(settings, decided):
    said, good = result(settings, decided)
    assert (said, good) == (
        "It is better than the simple technique, as good as was agreed, and it saves money.",
        True,
    )
    text = text_of(shown(settings, decided))
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


def test_a_model_that_is_no_better_is_not_cheered(settings, of_problem):
    said, good = result(settings, training := made_up_training(knows=False, project=of_problem))
    assert not good
    assert said.startswith(("It is not worth using", "It is not clearly better than the simple technique."))
    text = text_of(shown(settings, training))
    assert "As it stands, that is not enough to use it." in text
    assert "it saves" not in text
    assert "It is better" not in text


def test_a_model_that_misses_what_was_agreed_is_called_so(settings, training):
    said, good = result(reaching(settings, reached=False), training)
    assert said == "It is better than the simple technique, but not as good as was agreed to be needed."
    assert not good


def test_what_nobody_has_agreed_to_is_not_presumed(settings, training):
    accuracy = settings.accuracy.model_copy(update={"minimum": None})
    unagreed = settings.model_copy(update={"accuracy": accuracy})
    said = "It is better than the simple technique, but how good it has to be is not agreed."
    assert result(unagreed, training) == (said, False)
    assert "; how good it has to be is not agreed yet." in wording.verdict(
        unagreed, training.info["evaluation"]
    )
    costs = type(settings).model_fields["error_costs"].default
    assert not costs.agreed
    unpriced = settings.model_copy(update={"error_costs": costs})
    assert result(unpriced, training) == (
        "It is better than the simple technique, but what errors cost is not agreed.",
        False,
    )
    text = text_of(shown(unpriced, training))
    assert "What errors cost is not agreed yet; until then each of them counts as one." in text
    assert "So errors cost" not in text
    assert "It costs" not in text


def test_what_nobody_has_said_is_no_question_mark(settings, training):
    decision = settings.decision.model_copy(update={"question": "?"})
    blank = settings.model_copy(
        update={
            "description": "?",
            "decision": decision,
            "error_costs": type(settings).model_fields["error_costs"].default,
        }
    )
    text = text_of(shown(blank, training))
    assert "The decision that it serves: not said yet" in text
    assert "?" not in text
    assert (
        "The next step is to agree on how good it has to be and on what errors cost; choice.html shows what "
        "each choice leads to. Who decides, in writing: Desk. Until then nothing changes." in text
    )
    tradeoff = tradeoff_of(blank, training)
    choice = text_of(pages.render("choice.html", blank, training, tradeoff))
    low = tradeoff.terms.too_low
    assert f"Here {low} cost 1 unit each, {tradeoff.terms.too_high} 1 unit each" in choice
    assert "currency: CURRENCY too_low: 1 too_high: 1" in choice


def test_a_saving_that_may_be_chance_is_not_claimed(settings, training):
    tradeoff = tradeoff_of(settings, training)
    tradeoff.saved["simple"].update(value=1.0, low=-2.0)
    assert company.verdict(settings, training.info["evaluation"], tradeoff) == (
        "It is more accurate than the simple technique, but that it saves money is not shown.",
        False,
    )
    assert wording.saving(tradeoff, "EUR").startswith("Whether it saves anything against the simple")
    tradeoff.saved["simple"].update(value=-3.0, low=-4.0, high=-2.0)
    assert wording.saving(tradeoff, "EUR") == "It costs EUR 3 a day more than the simple technique."
    tradeoff.saved["simple"].update(value=0.0, low=0.0, high=0.0)
    assert wording.saving(tradeoff, "EUR") == (
        "Against the simple technique it saves nothing: both come to the same."
    )


def test_too_few_rows_say_nothing(settings, of_problem):
    said, good = result(settings, training := made_up_training(rows=40, project=of_problem))
    assert (said, good) == ("Too little was tested to say how good it is.", False)
    text = text_of(shown(settings, training))
    assert "What is saved cannot be told from so few." in text
    assert "nan" not in text.lower()


def test_too_few_days_say_nothing(settings, of_problem):
    training = made_up_training(days=3, project=of_problem)
    assert result(settings, training)[0] == "Too little was tested to say how good it is."


def test_where_it_is_weakest_is_told_in_words(settings, training):
    evaluation = training.info["evaluation"]
    metric = settings.project.metrics[settings.accuracy.metric]
    value = evaluation["model"][metric.name]["value"] - metric.sign * 0.5
    poor = {metric.name: {"value": value, "low": value, "high": value}}
    parts = {"day_of_week": {"7": evaluation["model"] | poor | {"rows": 100}}}
    told = list(company.unknown(settings, evaluation | {"parts": parts}))
    assert told[0] == "It is weakest where the day of week is 7."
    assert len(told) == 2
    assert len(list(company.unknown(settings, evaluation | {"parts": {}}))) == 1


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
    assert settings.accuracy.metric not in text


def test_a_picture_shows_what_its_words_say(settings, training):
    html = shown(settings, training)
    pictures = re.findall(r'<svg[^>]*aria-label="([^"]*)">(.*?)</svg>', html)
    assert len(pictures) == 2
    for told, dots in pictures:
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
    html = pages.render(name, hostile, training, tradeoff_of(hostile, training))
    assert html.count("<script") == (2 if name == "choice.html" else 0)
    assert html.count("&lt;/script&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &#34;a&#34; &amp;") >= 3


def test_costs_are_told_of_whatever_costs(settings, training, of_problem):
    words = {"cases": "late trains", "units": "crates"}
    settings = settings.model_copy(update={"words": settings.words.model_copy(update=words)})
    text = text_of(shown(settings, training))
    if of_problem.task.predicts == "chance":
        costs = "late trains overlooked cost EUR 10 each, warnings for nothing EUR 4 each."
        nothing = "with no warnings at all."
    else:
        costs = "crates missing cost EUR 10 each, crates left over EUR 4 each."
        nothing = "with the same amount for all, whichever is best."
    assert f"What errors cost is agreed: {costs}" in text
    assert nothing in text


@pytest.mark.parametrize(
    ("own", "one", "several"),
    [
        ({"action": "offer"}, "offer", "offers"),
        ({"action": "inquiry", "actions": "inquiries"}, "inquiry", "inquiries"),
        ({"warnings": "visits"}, "visit", "visits"),  # as it was written up to 0.2
    ],
)
def test_what_is_no_warning_is_not_called_one(own, one, several, tmp_path):
    settings = made_up_settings(tmp_path, example("classification"))
    given = {"rows": "customers", "cases": "buyers", "users": "the sales team"} | own
    settings = settings.model_copy(update={"words": type(settings.words).model_validate(given)})
    training = made_up_training(project=settings.project)
    tradeoff = tradeoff_of(settings, training)
    pages_of_all = [
        pages.render(f"{name}.html", settings, training, tradeoff)
        for name in ("company", "choice", "research")
    ]
    assert [re.findall("warn[a-z]*|alarm[a-z]*", html, re.IGNORECASE) for html in pages_of_all] == [
        [],
        [],
        [],
    ]
    text, choice, research = (text_of(html) for html in pages_of_all)
    assert (
        "It looks at each of the customers beforehand, and picks out those that are likely to be among the "
        "buyers, for the sales team to act on. That is about " in text
    )
    assert re.search(rf"about \d\.\d {several} a day, among \d+ customers\.", text)
    assert re.search(r"Of 100 buyers, \d+ are found beforehand; \d+ are overlooked\.", text)
    assert re.search(rf"Of 100 {several}, \d+ are right; \d+ are for nothing\.", text)
    assert re.search(rf"overlooks about \d\.\d buyers and leads to \d\.\d {several} for nothing", text)
    assert "Those from the threshold on are picked out for the sales team." in choice
    assert f"Those from 40% on are picked out; what they get is called {several} here." in research
    assert f"Each case found saves EUR 10, each {one} for nothing costs EUR 4." in research
    assert f"The choice: how many {several}?" in research


@pytest.mark.parametrize(("count", "said"), [(0, "0 are"), (1, "1 is"), (2, "2 are")])
def test_one_is_singular(count, said):
    assert f"{count} {wording.are(count)}" == said


@pytest.mark.parametrize(
    ("mean", "said"), [(0, "0"), (0.4, "0.4"), (1, "1.0"), (9.7, "9.7"), (10, "10"), (1234.5, "1,234")]
)
def test_few_things_a_period_have_a_decimal(mean, said):
    assert wording.mean_count(mean) == said


@pytest.mark.parametrize(
    ("margin", "planned"),
    [
        (0.25, "is 0.25 crates more than that, which"),
        (-114.0, "is 114.00 crates less than that, which"),
        (0.0, "is just that, which"),
    ],
)
def test_a_margin_to_either_side_is_told_in_words(tmp_path, margin, planned):
    settings = made_up_settings(tmp_path, example("regression"))
    words = {"units": "crates", "users": "the store"}
    settings = settings.model_copy(update={"words": settings.words.model_copy(update=words)})
    training = made_up_training(decision={"margin": margin, "tolerable": 0.3}, project=settings.project)
    said = settings.project.task.does(settings, tradeoff_of(settings, training))
    assert f"What the store should plan with {planned} follows from what errors cost." in said


def test_amounts_of_any_size_are_written_to_be_read(tmp_path):
    settings = made_up_settings(tmp_path, example("regression"))
    costs = settings.error_costs.model_copy(update={"tolerable": 2_500_000})
    words = settings.words.model_copy(update={"units": "USD"})
    settings = settings.model_copy(update={"error_costs": costs, "words": words})
    plan = {"margin": -3e5, "tolerable": 2.5e6}
    training = made_up_training(decision=plan, project=settings.project, scale=4e6)
    text = text_of(shown(settings, training))
    assert "What those who use it should plan with is 300,000 USD less than that" in text
    assert re.search(r"Of 100 predictions, \d+ are off by no more than 2,500,000 USD", text)
    assert re.search(r"On average it is off by \d,\d{3},\d{3} USD, the model by \d,\d{3},\d{3}\.", text)
    assert "USD missing cost EUR 10 each, USD left over EUR 4 each." in text


def test_the_metric_that_decides_is_the_one_that_project_yaml_names(tmp_path):
    project = example("classification")
    never = Metric("never", lambda counts: 0.0, "always nought", greater_is_better=True)
    own = type(project)(project.package, given={"metrics": (*project.task.metrics, never)}, root=project.root)
    settings = made_up_settings(tmp_path, own)
    accuracy = settings.accuracy.model_copy(update={"metric": "never", "minimum": -1})
    settings = settings.model_copy(update={"accuracy": accuracy})
    said, good = result(settings, made_up_training(project=own))
    assert (said, good) == ("It is not clearly better than the simple technique.", False)
