"""Lists and masks of cores."""

from __future__ import annotations

import random

import pytest

from control.cpulist import parse_list, parse_mask, render_list, render_mask


@pytest.mark.parametrize("seed", range(20))
def test_what_is_written_is_read(seed: int):
    chosen = random.Random(seed)
    cores = tuple(sorted(chosen.sample(range(300), chosen.randrange(40))))
    assert parse_list(render_list(cores)) == cores
    assert parse_mask(render_mask(cores)) == cores


@pytest.mark.parametrize(
    ("text", "cores"),
    [("", ()), ("0-3,8", (0, 1, 2, 3, 8)), ("5", (5,)), (" 1 , 0 ", (0, 1)), ("2,1-3", (1, 2, 3))],
)
def test_lists(text: str, cores: tuple[int, ...]):
    assert parse_list(text) == cores


@pytest.mark.parametrize(
    ("text", "cores"),
    [("0", ()), ("3", (0, 1)), ("1,00000000", (32,)), ("00000000,00000003", (0, 1)),
     ("1,2", (1, 32))],
)  # fmt: skip
def test_masks(text: str, cores: tuple[int, ...]):
    assert parse_mask(text) == cores


def test_a_mask_has_words_of_eight_digits():
    assert render_mask([0, 33]) == "2,00000001"
    assert render_mask([]) == "0"


@pytest.mark.parametrize("text", ["x", "3-1", "-1", "1-", "0-99999", "1.5", "0;1"])
def test_no_list_is_refused(text: str):
    with pytest.raises(ValueError, match="no core|not rise|passes"):
        parse_list(text)
