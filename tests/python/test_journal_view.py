"""The journal as numpy arrays: the same records as the dictionaries, over the files themselves."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from dataplane.journal import Journal
from dataplane.journal_view import EVENT, JournalView
from dataplane.segment import Segment

sys.path.insert(0, str(Path(__file__).parent))
from test_durability import config_with, replay, session  # noqa: E402, F401


@pytest.fixture(scope="module")
def directory(session, tmp_path_factory) -> Path:  # noqa: F811
    folder = tmp_path_factory.mktemp("view")
    replay(session, folder, "j", config_with(folder, "memory"))
    return folder / "j"


def test_every_field_is_that_of_the_dictionary(directory):
    expected = [each for each in Journal(directory) if "user_ref_num" in each]
    with JournalView(directory) as view:
        assert view.summary["valid"] and len(view) == view.summary["records"] + 1
        records = np.concatenate([each[each["kind"] == EVENT] for each in view])
    assert [int(each) for each in records["sequence"]] == [each["seq"] for each in expected]
    for name in ("time_ns", "user_ref_num", "qty", "price_nanos", "leaves_qty", "cum_qty"):
        assert [int(each) for each in records["event"][name]] == [each[name] for each in expected]
    inbound = [each["inbound_sequence"] or 0 for each in expected]
    assert [int(each) for each in records["inbound_sequence"]] == inbound


def test_nothing_is_copied(directory):
    view = JournalView(directory)
    (records,) = view
    assert not records.flags.owndata and not records.flags.writeable
    view.close()
    assert int(records[0]["sequence"]) == 1  # an array keeps its file


def test_an_order_and_its_replaces(directory):
    events = [each for each in Journal(directory) if "user_ref_num" in each]
    replaced = next(each for each in events if each["event"] == "REPLACED")
    first = replaced["orig_user_ref_num"]
    with JournalView(directory) as view:
        found = [int(each["sequence"]) for each in view.by_order(first)]
    wanted, numbers = [], {first}
    for each in events:
        names = {each["user_ref_num"], each["orig_user_ref_num"]} - {None}
        if names & numbers:
            numbers |= names
            wanted.append(each["seq"])
    assert found == wanted and replaced["seq"] in found


def test_a_segment_says_what_it_is(directory):
    segment = Segment(str(directory / "journal-000000.tpj"))
    assert "event price_nanos i64 24" in segment.header["schema"]
