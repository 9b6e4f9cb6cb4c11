/*
 * dp_epoch: two readers that come and go, one of which may die inside; a writer that takes the
 * published record out and uses it again when its epoch is past; one more that moves the epoch on,
 * and inherits from the dead. Sequentially consistent memory; what a missing fence would do is
 * written out.
 *
 * Claim: a record is never used again while a reader that lives holds it. And when all that live are
 * outside, the epoch can always move on.
 *
 * -DONE_STEP  an epoch counts as past after one step: who is inside since then is overlooked
 * -DNO_FENCE  the announcement is stored after the first look, as a store buffer would have it
 * -DBURY_ALL  the heir does not ask whether the owner is dead
 *
 * Here two steps would do. The third is for a tag that was read late, which takes weak memory: see
 * tests/prove/prove_epoch.c.
 */
#define READERS 2
#define LOOKS 1
#define NONE 255
#ifdef ONE_STEP
#define PAST 1
#else
#define PAST 3
#endif

byte now;
byte seen[READERS]; /* the epoch announced and 1; 0: outside */
bool dead[READERS];
byte current = 1;          /* which record is published; 0: none */
byte holds[READERS];       /* of a specification's eye: the record a reader looks at */
bool used_again;           /* record 1 */
byte ended;

inline advance()
{
    e = now;
    slot = 0;
    do
    :: slot < READERS && (seen[slot] == 0 || seen[slot] == e + 1) -> slot++
    :: else -> break
    od;
    atomic {
        if
        :: slot == READERS && now == e -> now++
        :: else
        fi;
        slot = 0;
        e = 0
    }
}

proctype reader(byte self)
{
    byte e, looks;
    do
    :: looks < LOOKS ->
        e = now;
#ifndef NO_FENCE
        seen[self] = e + 1;
        holds[self] = current;
#else
        holds[self] = current;
        seen[self] = e + 1;
#endif
        assert(holds[self] == 0 || !used_again);
        if
        :: true
        :: self == 0 -> atomic { holds[self] = 0; dead[self] = true; ended++ } goto gone
        fi;
        atomic { assert(holds[self] == 0 || !used_again); holds[self] = 0 }
        seen[self] = 0;
        looks++
    :: else -> break
    od;
    ended++;
gone:
    skip
}

proctype writer()
{
    byte e, slot, tag, tries;
    current = 0;
    tag = now;
    do
    :: tries < 3 -> advance(); tries++
    :: else -> break
    od;
    if
    :: now >= tag + PAST ->
        used_again = true;
        assert(holds[0] == 0 && holds[1] == 0)
    :: else
    fi;
    ended++
}

proctype heir()
{
    byte e, slot, tries;
    do
    :: tries < 2 ->
#ifdef BURY_ALL
        seen[0] = 0;
#else
        if
        :: dead[0] -> seen[0] = 0
        :: else
        fi;
#endif
        advance();
        tries++
    :: else -> break
    od;
    ended++
}

/* When all have ended, and the dead are buried, nothing is in the way. */
proctype judge()
{
    byte e, slot, before;
    ended == READERS + 2;
    if
    :: dead[0] -> seen[0] = 0
    :: else
    fi;
    before = now;
    advance();
    assert(now == before + 1)
}

init {
    atomic {
        run reader(0);
        run reader(1);
        run writer();
        run heir();
        run judge()
    }
}
