"""How a picture becomes text: the same each time, told to those who cannot see it, words as they are."""

import re

import numpy as np
import pytest

from handrail.reports.pictures import Mark, hundred, interval_picture, limits, spans, svg

NAN = float("nan")


def draw(figure):
    figure.subplots().set(xlabel="a & b < $c$", xlim=(0, 1))


def test_a_drawing_is_the_same_text_each_time_and_names_no_date():
    first, second = (svg(draw, 2.0, "two words") for _ in range(2))
    assert first == second
    assert "<metadata" not in first
    assert 'role="img" aria-label="two words"' in first
    assert "a &amp; b &lt; $c$" in first


def test_what_is_read_out_is_no_markup():
    assert 'aria-label="&lt;b&gt; &amp; &quot;c&quot;"' in svg(draw, 2.0, '<b> & "c"')
    assert 'aria-label="&lt;b&gt;"' in hundred(1, "<b>")


@pytest.mark.parametrize("filled", [0, 1, 44, 100])
def test_a_hundred_dots_are_a_hundred(filled):
    dots = hundred(filled, "some")
    assert (dots.count('class="full"'), dots.count('class="ring"')) == (filled, 100 - filled)
    assert len(set(re.findall(r'cx="(\d+)" cy="(\d+)"', dots))) == 100


def test_an_axis_holds_every_figure_that_there_is():
    marks = [Mark("a", 0.5, 0.4, 0.6, 0.1), Mark("b", NAN, NAN, NAN)]
    low, high = limits(marks, 0.9, NAN)
    assert low < 0.1
    assert high > 0.9
    assert limits([]) == pytest.approx((-0.04, 1.04))


def test_a_figure_outside_its_interval_is_drawn():
    marks = [Mark("above", 0.7, 0.4, 0.6), Mark("below", 0.3, 0.4, 0.6), Mark("within", 0.5, 0.4, 0.6)]
    assert spans([mark.value for mark in marks], marks) == pytest.approx(
        np.array([[0.3, 0, 0.1], [0, 0.3, 0.1]])
    )
    assert ">above<" in interval_picture(marks, 0.5, limits(marks), "score", "three lines")


def test_a_line_that_does_not_exist_leaves_its_place_empty():
    marks = [Mark("known", 0.5, 0.4, 0.6, 0.1), Mark("unknown", NAN, NAN, NAN)]
    drawn = interval_picture(marks, 0.5, limits(marks), "score", "two lines")
    assert ">known<" in drawn
    assert ">unknown<" in drawn
    assert ">score<" in drawn
