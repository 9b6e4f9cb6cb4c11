"""Check that the checker bites: each change below breaks a module, and its program must fail.

    mutants.py [--quick] [--only PROGRAM] BUILD_FOLDER PROVE_LIBRARY

The orderings need no list: every program weakens its own. Here stand the other ways to be wrong, a
check that is missing or a step in the wrong place. ``old`` must stand in the file exactly once.
``--quick`` takes the first mutant of each program, to be noticed without its long cases.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

CORE = Path(__file__).resolve().parents[2] / "dataplane" / "core"


@dataclass(frozen=True)
class Mutant:
    """A change to one file that the program of that name must notice."""

    program: str
    what: str
    file: str
    old: str
    new: str


MUTANTS = [
    Mutant(
        "credit",
        "more is leased than the pool has",
        "dp_credit.c",
        "        if (room < 0) {",
        "        if (room < -1) {",
    ),
    Mutant(
        "credit",
        "a move does not turn the lane's bit",
        "dp_credit.c",
        "free_of(*word) - amount) ^ UINT64_C(1) << lane;",
        "free_of(*word) - amount) ^ UINT64_C(0) << lane;",
    ),
    Mutant(
        "credit",
        "the intent is written behind the swap",
        "dp_credit.c",
        "    return dp_cas_release(&pool->word, word, next);",
        "    dp_store_relaxed(&hold->moving, 0);\n"
        "    if (!dp_cas_release(&pool->word, word, next))\n        return false;\n"
        "    dp_store_relaxed(&hold->moving, (int64_t)((uint64_t)leased << 2) | bit << 1 | 1);\n"
        "    return true;",
    ),
    Mutant(
        "credit",
        "what an heir finds half done is forgotten",
        "dp_credit.c",
        "    if (moving != 0 && (moving >> 1 & 1) == (int64_t)(word >> lane & 1))",
        "    if (moving < 0 && (moving >> 1 & 1) == (int64_t)(word >> lane & 1))",
    ),
    Mutant(
        "switch",
        "the gate tells before the mark is set",
        "dp_switch.c",
        "    uint64_t before = dp_load_relaxed(mark);\n    bool stronger",
        "    dp_switch_tell(gate);\n    gate = &(_Atomic uint64_t){0};\n"
        "    uint64_t before = dp_load_relaxed(mark);\n    bool stronger",
    ),
    Mutant(
        "switch",
        "a mark that is set already is not told of",
        "dp_switch.c",
        "    dp_switch_tell(gate);\n    return stronger;",
        "    if (stronger)\n        dp_switch_tell(gate);\n    return stronger;",
    ),
    Mutant(
        "switch",
        "a weaker mode replaces a stronger one",
        "dp_switch.c",
        "        stronger = dp_switch_mode_of(before) < mode;",
        "        stronger = true;",
    ),
    Mutant(
        "switch",
        "limits are read from the copy that is being written",
        "dp_versioned.h",
        "        const _Atomic uint64_t *copy = words + (seen & 1) * word_count;",
        "        const _Atomic uint64_t *copy = words + (~seen & 1) * word_count;",
    ),
    Mutant(
        "ring",
        "a full ring is written to",
        "dp_ring.h",
        "        if (tail - ring->head_seen > ring->slot_mask)\n            return NULL;",
        "        if (tail - ring->head_seen > ring->slot_mask + 1)\n            return NULL;",
    ),
    Mutant(
        "ring",
        "an empty ring is read from",
        "dp_ring.h",
        "    return dp_load_acquire(&slot->turn) == head + 1 ? slot : NULL;",
        "    return dp_load_acquire(&slot->turn) <= head + 1 ? slot : NULL;",
    ),
    Mutant(
        "ring",
        "an heir believes the dead one's count",
        "dp_ring.c",
        "        tail++;\n",
        "        break;\n",
    ),
    Mutant(
        "ring",
        "an heir leaves the turns of slots that were never published",
        "dp_ring.c",
        "            dp_store_relaxed(&slot->turn, 0);\n",
        "            continue;\n",
    ),
    Mutant(
        "ring",
        "room for one fewer",
        "dp_ring.h",
        "return tail + count - ring->head_seen <= ring->slot_mask + 1;",
        "return tail + count - ring->head_seen <= ring->slot_mask + 2;",
    ),
    Mutant(
        "pool_shared",
        "a bit that was set twice is believed",
        "dp_pool_shared.c",
        "        if (DP_UNLIKELY(is_out(before)))\n            continue;",
        "        if (DP_UNLIKELY(before == UINT64_MAX))\n            continue;",
    ),
    Mutant(
        "pool_shared",
        "the bit is set before the record's word says that it is free",
        "dp_pool_shared.c",
        "    dp_store_release(word_at(pool, index), word_after(word, seat));\n",
        "    put_given(pool, index / DP_POOL_BLOCK, 1ull << index % DP_POOL_BLOCK);\n"
        "    dp_store_release(word_at(pool, index), word_after(word, seat));\n",
    ),
    Mutant(
        "pool_shared",
        "a block is given up without a last look",
        "dp_pool_shared.c",
        "    if (dp_load_relaxed(&block->given) != 0)\n        return;\n",
        "",
    ),
    Mutant(
        "pool_shared",
        "recovery forgets what was about to be given back",
        "dp_pool_shared.c",
        "        if (word != 0 && !is_out(word) && seat_of(word) == seat->index) {",
        "        if (word == UINT64_MAX && seat_of(word) == seat->index) {",
    ),
    Mutant(
        "pool_shared",
        "recovery believes the bits that the dead one knew",
        "dp_pool_shared.c",
        "    dp_store_relaxed(&block->own, 0);\n    put_given(pool, block_index, bits);\n",
        "    (void)bits;\n",
    ),
    Mutant(
        "queue",
        "the taker before is not confirmed",
        "dp_queue.c",
        "        confirm(queue, head, lane_index);\n",
        "        (void)confirm;\n",
    ),
    Mutant(
        "queue",
        "a seat is not looked at again when head has moved on",
        "dp_queue.c",
        "    return (dp_load_relaxed(&seat->state) & 3) == HELD;\n",
        "    return false;\n",
    ),
    Mutant(
        "queue",
        "head moves before anyone can know whose doing it was",
        "dp_queue.c",
        "    dp_store_relaxed(&seat->state, state_word(TAKING, lane_index, end));\n",
        "",
    ),
    Mutant(
        "queue",
        "a full lane is written to",
        "dp_queue.h",
        "        room = mask - (tail - lane->head_seen);\n        count",
        "        room = mask + 1 - (tail - lane->head_seen);\n        count",
    ),
    Mutant(
        "queue",
        "a push does not store its last value",
        "dp_queue.h",
        "    for (uint32_t at = count - 1; at != 0; at--)\n",
        "    for (uint32_t at = 0; at != count - 1; at++)\n",
    ),
    Mutant(
        "queue",
        "an heir believes the dead one's count",
        "dp_queue.c",
        "    while (dp_load_relaxed(&lane->slots[tail & lane->slot_mask]) != 0)\n        tail++;\n",
        "",
    ),
    Mutant(
        "queue",
        "what was not taken is believed to be held",
        "dp_queue.c",
        "    if ((state & 3) != TAKING)\n        return (state & 3) == HELD;\n",
        "    if ((state & 3) != FREE)\n        return true;\n",
    ),
    Mutant(
        "skiplist",
        "a reader does not look at the generation",
        "dp_skiplist.c",
        "    return dp_load_relaxed(&level->generation) == generation ?",
        "    return generation == generation ?",
    ),
    Mutant(
        "skiplist",
        "a record begins its new life in silence",
        "dp_skiplist.c",
        "    dp_store_relaxed(&level->generation, generation);\n",
        "    generation--;\n",
    ),
    Mutant(
        "epoch",
        "the epoch moves on past those inside",
        "dp_epoch.c",
        "        if (seen != 0 && seen != 2 * now + 1)\n            return slot;\n",
        "        (void)seen;\n",
    ),
    Mutant(
        "epoch",
        "two steps are taken for enough",
        "dp_epoch.h",
        "- tag >= 3;",
        "- tag >= 2;",
    ),
    Mutant(
        "epoch",
        "two inherit at a time",
        "dp_epoch.c",
        "    if (former != 0 && !is_dead(context, former))\n        return false;\n",
        "",
    ),
    Mutant(
        "epoch",
        "an heir does not look whether it was buried meanwhile",
        "dp_epoch.c",
        "    if (dp_load_relaxed(&one->owner) == owner)\n        return true;\n",
        "    return true;\n",
    ),
    Mutant(
        "skiplist_multi",
        "a closed level counts as there",
        "dp_skiplist_multi.c",
        "        if (*amount & DP_SKIPLIST_MULTI_CLOSED)\n"
        "            return DP_SKIPLIST_MULTI_NONE;\n",
        "",
    ),
    Mutant(
        "skiplist_multi",
        "a level that is still being linked is retired",
        "dp_skiplist_multi.c",
        "        if (dp_cas_acq_rel(&record->claim, &claim, doomed))\n"
        "            claim = doomed;\n",
        "        claim = dp_cas_acq_rel(&record->claim, &claim, mine) ? mine : claim;\n"
        "        if (claim == mine)\n"
        "            dp_skiplist_multi_retire(writer, number);\n",
    ),
    Mutant(
        "skiplist_multi",
        "a removed level is retired without a search",
        "dp_skiplist_multi.c",
        "    dp_skiplist_multi_search(multi, record->list, rank);\n    if (",
        "    if (",
    ),
    Mutant(
        "skiplist_multi",
        "a level goes in before one of its price",
        "dp_skiplist_multi.c",
        "(next == 0 || rank_of(multi, list, next) != rank) &&",
        "true &&",
    ),
    Mutant(
        "skiplist_multi",
        "removed levels are used again at once",
        "dp_skiplist_multi_pool.c",
        "|| !dp_epoch_is_past(writer->epoch, writer->limbo[at].tag))",
        "|| false)",
    ),
    Mutant(
        "skiplist_multi",
        "a reader does not look at the generation",
        "dp_skiplist_multi_read.c",
        "    return dp_load_relaxed(&record->generation) ==",
        "    return link >> DP_SKIPLIST_MULTI_GENERATION_SHIFT ==",
    ),
    Mutant(
        "skiplist_multi",
        "an heir frees what the dead one had linked",
        "dp_skiplist_multi_pool.c",
        "is_linked ? DP_SKIPLIST_MULTI_LIVE : DP_SKIPLIST_MULTI_FREE",
        "is_linked && false ? DP_SKIPLIST_MULTI_LIVE : DP_SKIPLIST_MULTI_FREE",
    ),
    Mutant(
        "skiplist_multi",
        "an heir does not look whether it was closed",
        "dp_skiplist_multi_pool.c",
        "    if (dp_load_relaxed(&record->amount) & DP_SKIPLIST_MULTI_CLOSED) {\n"
        "        dp_skiplist_multi_mark",
        "    if (false) {\n        dp_skiplist_multi_mark",
    ),
    Mutant(
        "skiplist_multi",
        "an heir leaves what the dead one had closed",
        "dp_skiplist_multi_pool.c",
        "        if (dp_load_relaxed(&record->amount) & DP_SKIPLIST_MULTI_CLOSED)\n"
        "            dp_skiplist_multi_finish",
        "        if (false)\n            dp_skiplist_multi_finish",
    ),
    Mutant(
        "book",
        "a reader does not look at the sequence number again",
        "dp_book_read.c",
        "        dp_load_relaxed(&book->sequence) == sequence;",
        "        sequence != 0;",
    ),
    Mutant(
        "book",
        "a reader begins in the middle of a change",
        "dp_book_read.c",
        "    if (sequence & 1)\n        return false;\n",
        "",
    ),
    Mutant(
        "order",
        "an order that is being changed is claimed once more",
        "dp_order_claim.h",
        "        if ((seen & DP_ORDER_CHANGING) != 0) {\n",
        "        if (false) {\n",
    ),
    Mutant(
        "order",
        "a reader does not look at the word again",
        "dp_order_claim.h",
        "            if (dp_load_relaxed(&from[0]) == state)\n",
        "            if (true)\n",
    ),
    Mutant(
        "order",
        "a reader takes an order that is being changed",
        "dp_order_claim.h",
        "        if ((state & DP_ORDER_CHANGING) == 0) {\n",
        "        if (true) {\n",
    ),
    Mutant(
        "order",
        "a claim leaves no mark",
        "dp_order_claim.h",
        "&seen, seen | DP_ORDER_CHANGING)) {\n",
        "&seen, seen)) {\n",
    ),
]


def mutated_core(mutant: Mutant, folder: Path) -> Path:
    """Copy the core with the change made to it."""
    core = folder / "core"
    shutil.copytree(CORE, core)
    text = (core / mutant.file).read_text()
    count = text.count(mutant.old)
    if count != 1:
        raise SystemExit(f"mutants: {mutant.program}: {mutant.what}: stands {count} times in "
                         f"{mutant.file}; it must be 1")  # fmt: skip
    (core / mutant.file).write_text(text.replace(mutant.old, mutant.new))
    return core


def compile_words(entry: dict[str, str], core: Path, out: Path) -> list[str]:
    """Return the build's own command for one source, with another core and another output."""
    base = Path(entry["directory"])
    words, result = iter(shlex.split(entry["command"])), []
    for word in words:
        if word in ("-MQ", "-MF", "-o"):
            next(words)
            continue
        flag = "-I" if word.startswith("-I") else ""
        path = (base / word[len(flag) :]).resolve()
        if word != "-MD":
            moved = path == CORE or path.parent == CORE
            result.append(f"{flag}{core / path.relative_to(CORE)}" if moved else word)
    return [*result, "-w", "-o", str(out)]


def build(program: str, core: Path, folder: Path, build_folder: Path, library: Path) -> Path:
    """Compile and link the program as the build does."""
    commands = json.loads((build_folder / "compile_commands.json").read_text())
    objects = []
    for entry in commands:
        if f"/prove_{program}.p/" not in entry["output"]:
            continue
        out = folder / Path(entry["output"]).name
        subprocess.run(compile_words(entry, core, out), cwd=entry["directory"], check=True)
        objects.append(str(out))
    first = shlex.split(commands[0]["command"])
    compiler = list(takewhile(lambda word: not word.startswith("-"), first))  # maybe ccache and cc
    out = folder / "mutant"
    subprocess.run([*compiler, *objects, str(library), "-o", str(out)], check=True)
    return out


def is_noticed(mutant: Mutant, build_folder: Path, library: Path, options: list[str]) -> bool:
    """Build the mutant and run it; say what its program said."""
    with tempfile.TemporaryDirectory(prefix="tickplane-mutant-") as name:
        folder = Path(name)
        core = mutated_core(mutant, folder)
        program = build(mutant.program, core, folder, build_folder, library)
        done = subprocess.run([program, "--cases-only", *options], capture_output=True, text=True)
    failures = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    noticed = done.returncode == 1 and bool(failures)
    verdict = failures[0].removeprefix("FAIL ") if noticed else "NOT NOTICED"
    print(f"{'ok  ' if noticed else 'FAIL'} {mutant.program}: {mutant.what}: {verdict}", flush=True)
    return noticed


def main() -> int:
    """Try them all; 1 when one went unnoticed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("build_folder", type=Path)
    parser.add_argument("library", type=Path)
    given = parser.parse_args()
    library = (given.build_folder / given.library).resolve()
    chosen = [one for one in MUTANTS if given.only in (None, one.program)]
    options = ["--quick"] if given.quick else []
    if given.quick:
        chosen = list({one.program: one for one in reversed(chosen)}.values())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        noticed = list(
            pool.map(lambda one: is_noticed(one, given.build_folder, library, options), chosen)
        )
    return 0 if all(noticed) else 1


if __name__ == "__main__":
    sys.exit(main())
