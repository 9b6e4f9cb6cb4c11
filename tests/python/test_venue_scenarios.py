"""The scenarios that ship, in memory and on sockets, and what a wrong one says."""

from __future__ import annotations

import pytest

from appliance.config_section import ConfigError
from appliance.venue import scenario
from appliance.venue.command import make_host, run_scenario, run_scenarios
from appliance.venue.hosts import MemoryHost

NAMES = list(scenario.library())


def test_the_library_is_large_enough():
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sockets", [False, True], ids=["memory", "sockets"])
def test_scenario_comes_true(name, sockets):
    one = scenario.load(name)
    run_scenario(one, make_host(one, sockets=sockets))


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_in_memory_gives_the_same_bytes_each_time(name):
    records = []
    for _ in range(2):
        one = scenario.load(name)
        host = make_host(one, sockets=False)
        assert isinstance(host, MemoryHost)
        scenario.Run(one, host).run()
        host.close()
        records.append([venue.exchange.take_record() for venue in host.venues.values()])
    assert records[0] == records[1]
    assert all(records[0])


def test_money_and_shares_balance_after_every_scenario():
    for name in NAMES:
        one = scenario.load(name)
        host = make_host(one, sockets=False)
        run_scenario(one, host)
        assert all(venue.exchange.is_balanced() for venue in host.venues.values()), name


def parse(steps: str) -> scenario.Scenario:
    return scenario.parse(f"certifies: nothing\nsteps:\n{steps}", source="s.yaml")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            "  - alice: login\n  - alice gets: login_rejected\n",
            "s.yaml:4: steps[1].alice gets: 'login_rejected' did not come: login_accepted came, "
            "in 'login_accepted session=1 sequence=1'",
        ),
        (
            "  - alice: login\n  - alice gets: login_accepted sequence=7\n",
            "s.yaml:4: steps[1].alice gets: 'login_accepted sequence=7' did not come: "
            "sequence is 1, in 'login_accepted session=1 sequence=1'",
        ),
        (
            "  - alice: login\n  - alice gets: [login_accepted, system_event, order_accepted 1]\n",
            "s.yaml:4: steps[1].alice gets: 'order_accepted 1' did not come; "
            "after 2 packets nothing did",
        ),
        (
            "  - alice: login password=wrong\n  - alice gets: login_rejected\n",
            "s.yaml:4: steps[1].alice gets: nothing more was to come; 'closed' did",
        ),
    ],
)
def test_a_step_that_does_not_come_true_says_what_came(steps, message):
    one = parse(steps)
    with pytest.raises(scenario.ScenarioError) as failed:
        run_scenario(one, make_host(one, sockets=False))
    assert str(failed.value) == message


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (
            "  - alice: enter 1\n",
            "s.yaml:3: steps[0].alice: alice: not connected; let it `login` first",
        ),
        (
            "  - alice: [login, enter 1 B x TPLN 10]\n",
            "s.yaml:3: steps[0].alice: enter: quantity: 'x' is not a whole number; "
            "give one like 100",
        ),
        (
            "  - alice: [login, enter 1 B 1 TPLN 10.00001]\n",
            "s.yaml:3: steps[0].alice: enter: price: '10.00001' is not a price; "
            "give one like 10.01",
        ),
        (
            "  - wait: soon\n",
            "s.yaml:3: steps[0].wait: wait: 'soon' is not a time; give one like 50ms or 1.5s",
        ),
        (
            "  - venue: fault mallory late 1s\n",
            "s.yaml:3: steps[0].venue: user: 'mallory' is none; known: all, house, alice, bob",
        ),
        (
            "  - venue: halt XXXX\n",
            "s.yaml:3: steps[0].venue: symbol: 'XXXX' is none; known: all, TPLN, OTHR",
        ),
        (
            "  - {wait: 1s, venue: end}\n",
            "s.yaml:3: steps[0].wait: 2 keys in one step; write one each",
        ),
        (
            "  - alice@there: login\n",
            "s.yaml:3: steps[0].alice@there: alice@there: 'there' is no venue; known: lit",
        ),
    ],
)
def test_a_step_that_cannot_be_done_is_named(steps, message):
    one = parse(steps)
    with pytest.raises(ConfigError) as failed:
        run_scenario(one, make_host(one, sockets=False))
    assert str(failed.value) == message


def test_the_command_says_which_failed(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_text("certifies: x\nsteps:\n  - alice: login\n  - alice gets: nothing\n")
    assert run_scenarios([str(path), "login_refused"], sockets=False) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"FAIL mine: {path}:4: steps[1].alice gets: nothing more")
    assert lines[1].startswith("ok   login_refused: ")
    assert lines[2] == "1 of 2 scenarios came true"
