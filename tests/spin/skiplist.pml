/*
 * The link protocol of dp_skiplist_multi at one height: insert and remove by compare-and-swap, a
 * record is marked before it is unlinked, closed before it is marked, and used again when its epoch
 * is past. Two writers on the keys 1 and 2, three records, sequentially consistent memory: what the
 * orderings may do beyond that is checked on the real code by tests/prove.
 *
 *   head --> record --> ... --> 0     a link is a target and a mark; both change in one step
 *
 * Claims: a key is in the list at most once, in order; who closed a record removed it, and nobody
 * else; a record is not used again while a writer inside could reach it.
 *
 * -DNO_MARK   a record is unlinked without a mark: an insertion behind it is lost
 * -DNO_EPOCH  a record is used again at once: a compare-and-swap is fooled
 */
#define RECORDS 3
#define HEAD 0
#define WRITERS 2
#define OPS 2

byte target[RECORDS + 1]; /* [HEAD] is the head's link */
bool marked[RECORDS + 1];
byte key[RECORDS + 1];
bool closed[RECORDS + 1];
bool linked[RECORDS + 1]; /* of a specification's eye: it went in and did not come out */
bool taken[RECORDS + 1];  /* not free */
byte inside[WRITERS];     /* 1: in the middle of an operation that began before ... */
byte waits_for[RECORDS + 1]; /* ... this record went: a bit for each such writer */
byte in_count[3], out_count[3];

/* Where the key belongs: `before` leads to `at`, which is at or behind the key (0: the end). What is
 * marked on the way is unlinked. One step of a search is one step here. */
inline search(k)
{
    before = HEAD;
    do
    :: true ->
        atomic { at = target[before]; bad = marked[before] }
        if
        :: bad -> before = HEAD
        :: else ->
            if
            :: at == 0 -> break
            :: else ->
                if
                :: marked[at] ->
                    atomic {
                        if
                        :: target[before] == at && !marked[before] -> target[before] = target[at]
                        :: else
                        fi
                    }
                :: else ->
                    if
                    :: key[at] >= k -> break
                    :: else -> before = at
                    fi
                fi
            fi
        fi
    od
}

/* The record is out: whoever is inside now may still know it. */
inline retire(r)
{
    atomic {
        linked[r] = false;
        waits_for[r] = 0;
#ifndef NO_EPOCH
        w = 0;
        do
        :: w < WRITERS ->
            if
            :: w != self && inside[w] -> waits_for[r] = waits_for[r] | (1 << w)
            :: else
            fi;
            w++
        :: else -> break
        od;
#endif
        taken[r] = (waits_for[r] != 0);
        w = 0
    }
}

inline leave()
{
    atomic {
        inside[self] = 0;
        w = 1;
        do
        :: w <= RECORDS ->
            if
            :: waits_for[w] & (1 << self) ->
                waits_for[w] = waits_for[w] & ~(1 << self);
                if
                :: waits_for[w] == 0 -> taken[w] = false
                :: else
                fi
            :: else
            fi;
            w++
        :: else -> break
        od;
        w = 0
    }
}

/* Mark, then search, then whoever is first retires. */
inline finish(r)
{
#ifndef NO_MARK
    marked[r] = true;
    search(key[r]);
#else
    atomic {
        if
        :: target[before] == r && !marked[before] -> target[before] = target[r]
        :: else
        fi
    }
#endif
    atomic {
        if
        :: linked[r] -> retire(r)
        :: else
        fi
    }
}

inline insert(k)
{
    do
    :: true ->
        search(k);
        if
        :: at != 0 && key[at] == k ->
            if
            :: closed[at] -> r = at; finish(r)
            :: else -> break
            fi
        :: else ->
            /* A record of our own; filled in before anybody sees it. */
            atomic {
                if
                :: mine == 0 ->
                    mine = 1;
                    do
                    :: mine <= RECORDS && taken[mine] -> mine++
                    :: else -> break
                    od;
                    if
                    :: mine > RECORDS -> mine = 0
                    :: else -> taken[mine] = true; key[mine] = k; closed[mine] = false;
                        marked[mine] = false
                    fi
                :: else
                fi
            }
            if
            :: mine == 0 -> break /* full */
            :: else
            fi
            target[mine] = at;
            atomic {
                if
                :: target[before] == at && !marked[before] ->
                    target[before] = mine; linked[mine] = true; in_count[k]++; mine = 0; break
                :: else
                fi
            }
        fi
    od;
    atomic {
        if
        :: mine != 0 -> taken[mine] = false; mine = 0
        :: else
        fi
    }
}

inline remove(k)
{
    search(k);
    if
    :: at != 0 && key[at] == k ->
        r = at;
        atomic {
            if
            :: closed[r] -> r = 0
            :: else -> closed[r] = true; out_count[k]++
            fi
        }
        if
        :: r != 0 -> finish(r)
        :: else
        fi
    :: else
    fi
}

byte done;

proctype writer(byte self)
{
    byte before, at, r, mine, w, ops;
    bool bad;
    do
    :: ops < OPS ->
        inside[self] = 1;
        if
        :: insert(1)
        :: insert(2)
        :: remove(1)
        :: remove(2)
        fi;
        leave();
        ops++
    :: else -> break
    od;
    done++
}

/* In the end: in order, each once, and as often in as out. */
proctype judge()
{
    byte at, last, seen[3];
    done == WRITERS;
    atomic {
        at = target[HEAD];
        do
        :: at != 0 ->
            assert(linked[at] || closed[at]);
            if
            :: !closed[at] -> assert(key[at] > last); last = key[at]; seen[last]++
            :: else
            fi;
            at = target[at]
        :: else -> break
        od;
        assert(in_count[1] - out_count[1] == seen[1]);
        assert(in_count[2] - out_count[2] == seen[2])
    }
}

init {
    atomic {
        run writer(0);
        run writer(1);
        run judge()
    }
}
