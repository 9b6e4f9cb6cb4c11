/*
 * venue_scenarios - what the replay venue's model says, as events in and answers out.
 *
 * A scenario is a list of lines `time what ...`; what the venue answers is compared as text.
 *
 *   recorded:  A ref side qty price | E ref qty | C ref qty | X ref qty | D ref |
 *              U ref new_ref qty price | H state | S code
 *   ours:      enter number side qty price tif | replace old number qty price tif |
 *              cancel number qty | query | end
 *   asked:     ahead number     (queue position now)
 *
 * An order is 10 ns on its way, an answer 5. Times are behind midnight.
 */
#ifndef VENUE_SCENARIOS_H
#define VENUE_SCENARIOS_H

struct scenario {
    const char *name;
    const char *script;
    const char *answers;
};

static const struct scenario scenarios[] = {
    {"an order is accepted after both latencies", "100 enter 1 B 50 1000 0\n",
        "115 A 1 B 50 1000 0L\n"},
    {"a marketable order takes the best price first, then the oldest",
        "1 A 1 S 100 1002\n"
        "2 A 2 S 30 1001\n"
        "3 A 3 S 30 1001\n"
        "100 enter 1 B 100 1002 0\n",
        "115 A 1 B 100 1002 0L\n"
        "115 E 1 30 1001 R\n"
        "115 E 1 30 1001 R\n"
        "115 E 1 40 1002 R\n"},
    {"a limit is not passed",
        "1 A 1 S 100 1002\n"
        "100 enter 1 B 100 1001 3\n",
        "115 A 1 B 100 1001 3L\n"
        "115 C 1 100 I\n"},
    {"what an IOC leaves is cancelled",
        "1 A 1 B 30 1000\n"
        "100 enter 1 S 100 1000 3\n",
        "115 A 1 S 100 1000 3L\n"
        "115 E 1 30 1000 R\n"
        "115 C 1 70 I\n"},
    {"displayed quantity is used once",
        "1 A 1 S 100 1000\n"
        "100 enter 1 B 60 1000 3\n"
        "101 enter 2 B 60 1000 3\n"
        "200 X 1 10\n"
        "201 enter 3 B 60 1000 3\n",
        "115 A 1 B 60 1000 3L\n"
        "115 E 1 60 1000 R\n"
        "116 A 2 B 60 1000 3L\n"
        "116 E 2 40 1000 R\n"
        "116 C 2 20 I\n"
        "216 A 3 B 60 1000 3L\n"
        "216 C 3 60 I\n"},
    {"a new order under a reference that left is whole again",
        "1 A 1 S 100 1000\n"
        "100 enter 1 B 60 1000 3\n"
        "200 D 1\n"
        "201 A 1 S 100 1000\n"
        "300 enter 2 B 60 1000 3\n",
        "115 A 1 B 60 1000 3L\n"
        "115 E 1 60 1000 R\n"
        "315 A 2 B 60 1000 3L\n"
        "315 E 2 60 1000 R\n"},
    {"an order meets the book as it is when it arrives",
        "1 A 1 S 100 1000\n"
        "100 enter 1 B 60 1000 3\n"
        "109 D 1\n",
        "115 A 1 B 60 1000 3L\n"
        "115 C 1 60 I\n"},
    {"the queue ahead shrinks by what recorded orders ahead lose, and by nothing else",
        "1 A 1 B 100 1000\n"
        "2 A 2 B 50 1000\n"
        "3 A 3 B 70 999\n"
        "100 enter 1 B 40 1000 0\n"
        "111 A 4 B 30 1000\n"
        "112 ahead 1\n"
        "113 E 1 20\n"
        "114 ahead 1\n"
        "120 X 2 10\n"
        "121 ahead 1\n"
        "122 D 4\n"
        "123 X 3 10\n"
        "124 ahead 1\n"
        "125 U 2 5 40 1000\n"
        "126 ahead 1\n"
        "127 C 1 30\n"
        "128 ahead 1\n"
        "129 D 1\n"
        "130 ahead 1\n",
        "ahead 150\n"
        "ahead 130\n"
        "115 A 1 B 40 1000 0L\n"
        "ahead 120\n"
        "ahead 120\n"
        "ahead 80\n"
        "ahead 50\n"
        "ahead 0\n"},
    {"what we took ourselves is not ahead of us",
        "1 A 1 S 100 1000\n"
        "100 enter 1 B 60 1000 3\n"
        "120 enter 2 S 10 1000 0\n"
        "140 ahead 2\n",
        "115 A 1 B 60 1000 3L\n"
        "115 E 1 60 1000 R\n"
        "135 A 2 S 10 1000 0L\n"
        "ahead 40\n"},
    {"an execution ahead of ours fills nothing, one behind ours fills up to its size",
        "1 A 1 B 100 1000\n"
        "100 enter 1 B 40 1000 0\n"
        "111 A 2 B 30 1000\n"
        "120 E 1 100\n"
        "130 E 2 25\n"
        "140 E 2 5\n",
        "115 A 1 B 40 1000 0L\n"
        "135 E 1 25 1000 A\n"
        "145 E 1 5 1000 A\n"},
    {"an execution at a worse price fills ours at our price",
        "1 A 1 S 100 1002\n"
        "100 enter 1 S 40 1001 0\n"
        "120 C 1 30\n"
        "121 E 1 30\n",
        "115 A 1 S 40 1001 0L\n"
        "125 E 1 30 1001 A\n"
        "126 E 1 10 1001 A\n"},
    {"an execution at a better price or on the other side fills nothing",
        "1 A 1 B 100 1002\n"
        "2 A 2 S 100 1003\n"
        "100 enter 1 B 40 1001 0\n"
        "120 E 1 100\n"
        "121 E 2 100\n",
        "115 A 1 B 40 1001 0L\n"},
    {"cancels and deletes behind ours fill nothing",
        "100 enter 1 B 40 1000 0\n"
        "111 A 1 B 30 1000\n"
        "120 X 1 10\n"
        "130 D 1\n",
        "115 A 1 B 40 1000 0L\n"},
    {"one execution serves our orders by price, then by time, and no more than its size",
        "1 A 9 B 100 998\n"
        "100 enter 1 B 10 999 0\n"
        "101 enter 2 B 10 1000 0\n"
        "102 enter 3 B 10 999 0\n"
        "120 E 9 25\n",
        "115 A 1 B 10 999 0L\n"
        "116 A 2 B 10 1000 0L\n"
        "117 A 3 B 10 999 0L\n"
        "125 E 2 10 1000 A\n"
        "125 E 1 10 999 A\n"
        "125 E 3 5 999 A\n"},
    {"a recorded order that would have crossed ours fills it, at our price, once",
        "100 enter 1 B 40 1000 0\n"
        "120 A 1 S 30 999\n"
        "130 enter 2 B 50 999 3\n",
        "115 A 1 B 40 1000 0L\n"
        "125 E 1 30 1000 A\n"
        "145 A 2 B 50 999 3L\n"
        "145 C 2 50 I\n"},
    {"what is left of a recorded order that crossed ours can be taken",
        "100 enter 1 S 40 1000 0\n"
        "120 A 1 B 100 1000\n"
        "130 enter 2 S 100 1000 3\n",
        "115 A 1 S 40 1000 0L\n"
        "125 E 1 40 1000 A\n"
        "145 A 2 S 100 1000 3L\n"
        "145 E 2 60 1000 R\n"
        "145 C 2 40 I\n"},
    {"a recorded replace across our price fills ours",
        "1 A 1 S 100 1005\n"
        "100 enter 1 B 40 1000 0\n"
        "120 U 1 2 30 1001\n"
        "121 U 2 3 30 1000\n",
        "115 A 1 B 40 1000 0L\n"
        "126 E 1 30 1000 A\n"},
    {"a recorded order short of our price fills nothing",
        "100 enter 1 B 40 1000 0\n"
        "120 A 1 S 30 1001\n",
        "115 A 1 B 40 1000 0L\n"},
    {"wrong recorded messages fill nothing",
        "1 A 1 B 10 999\n"
        "2 A 2 S 10 1010\n"
        "100 enter 1 B 40 1000 0\n"
        "120 E 7 30\n"
        "121 E 1 11\n"
        "122 A 2 S 30 999\n"
        "123 U 1 2 30 999\n",
        "115 A 1 B 40 1000 0L\n"},
    {"a number not above the last is ignored in silence",
        "100 enter 5 B 40 1000 0\n"
        "101 enter 5 B 40 1000 0\n"
        "102 enter 4 B 40 1000 0\n"
        "103 enter 9 B 0 1000 0\n"
        "104 enter 9 B 1 1000 0\n"
        "105 query\n",
        "115 A 5 B 40 1000 0L\n"
        "118 J 9 invalid quantity\n"
        "120 Q 10\n"},
    {"a cancel takes what is open, the second finds nothing",
        "1 A 1 S 10 1000\n"
        "100 enter 1 B 40 1000 0\n"
        "120 cancel 1 0\n"
        "121 cancel 1 0\n"
        "122 cancel 2 0\n",
        "115 A 1 B 40 1000 0L\n"
        "115 E 1 10 1000 R\n"
        "135 C 1 30 U\n"},
    {"a cancel to a size counts what was executed",
        "1 A 1 S 10 1000\n"
        "100 enter 1 B 40 1000 0\n"
        "120 cancel 1 25\n"
        "121 cancel 1 25\n"
        "122 cancel 1 26\n"
        "123 cancel 1 4\n",
        "115 A 1 B 40 1000 0L\n"
        "115 E 1 10 1000 R\n"
        "135 C 1 15 U\n"
        "138 C 1 15 U\n"},
    {"a cut in size keeps the place in the queue, a replace goes to the tail",
        "100 enter 1 B 40 1000 0\n"
        "111 A 1 B 30 1000\n"
        "120 cancel 1 20\n"
        "131 ahead 1\n"
        "140 replace 1 2 20 1000 0\n"
        "151 ahead 1\n"
        "152 ahead 2\n"
        "160 E 1 30\n",
        "115 A 1 B 40 1000 0L\n"
        "ahead 0\n"
        "135 C 1 20 U\n"
        "ahead none\n"
        "ahead 30\n"
        "155 U 1 2 B 20 1000 0L\n"},
    {"a replace nets what was executed and may trade at once",
        "1 A 1 S 10 1000\n"
        "2 A 2 S 50 1001\n"
        "100 enter 1 B 40 1000 0\n"
        "120 replace 1 2 60 1001 0\n"
        "140 cancel 2 0\n",
        "115 A 1 B 40 1000 0L\n"
        "115 E 1 10 1000 R\n"
        "135 U 1 2 B 50 1001 0L\n"
        "135 E 2 50 1001 R\n"},
    {"a replace may become an IOC",
        "100 enter 1 B 40 1000 0\n"
        "120 replace 1 2 40 1000 3\n",
        "115 A 1 B 40 1000 0L\n"
        "135 U 1 2 B 40 1000 3L\n"
        "135 C 2 40 I\n"},
    {"a replace of a dead order or with a used number is silent and uses no number",
        "100 enter 1 B 40 1000 3\n"
        "101 replace 1 2 40 1000 0\n"
        "102 enter 2 B 40 1000 0\n"
        "103 replace 2 2 40 1000 0\n"
        "104 query\n",
        "115 A 1 B 40 1000 3L\n"
        "115 C 1 40 I\n"
        "117 A 2 B 40 1000 0L\n"
        "119 Q 3\n"},
    {"a replace with values that cannot be cancels the original and uses no number",
        "1 A 1 S 10 1000\n"
        "100 enter 1 B 40 1000 0\n"
        "120 replace 1 2 1000000 1000 0\n"
        "121 enter 2 B 20 1000 0\n"
        "122 replace 2 3 20 0 0\n"
        "123 query\n",
        "115 A 1 B 40 1000 0L\n"
        "115 E 1 10 1000 R\n"
        "135 C 1 30 Z\n"
        "136 A 2 B 20 1000 0L\n"
        "137 C 2 20 Z\n"
        "138 Q 3\n"},
    {"a replace down to what was executed cancels the original",
        "1 A 1 S 10 1000\n"
        "100 enter 1 B 40 1000 0\n"
        "120 replace 1 2 10 1000 0\n",
        "115 A 1 B 40 1000 0L\n"
        "115 E 1 10 1000 R\n"
        "135 C 1 30 Z\n"},
    {"executed shares count along the whole chain",
        "1 A 1 S 10 1000\n"
        "100 enter 1 B 40 1000 0\n"
        "120 replace 1 2 40 999 0\n"
        "140 replace 2 3 40 998 0\n"
        "160 cancel 3 15\n",
        "115 A 1 B 40 1000 0L\n"
        "115 E 1 10 1000 R\n"
        "135 U 1 2 B 30 999 0L\n"
        "155 U 2 3 B 30 998 0L\n"
        "175 C 3 25 U\n"},
    {"a halt refuses new orders and lets resting ones stay without fills",
        "100 enter 1 B 40 1000 0\n"
        "111 A 1 B 30 1000\n"
        "120 H H\n"
        "121 E 1 5\n"
        "122 A 2 S 10 999\n"
        "123 enter 2 B 10 1000 0\n"
        "140 replace 1 3 30 1001 0\n"
        "160 cancel 3 20\n"
        "180 D 2\n"
        "181 H T\n"
        "182 E 1 5\n",
        "115 A 1 B 40 1000 0L\n"
        "138 J 2 halted\n"
        "155 U 1 3 B 30 1001 0L\n"
        "175 C 3 10 U\n"
        "187 E 3 5 1001 A\n"},
    {"the end of market hours expires what is open and closes the door",
        "100 enter 1 B 40 1000 0\n"
        "101 enter 2 S 30 1001 0\n"
        "200 S M\n"
        "201 enter 3 B 40 1000 0\n"
        "202 cancel 1 0\n"
        "300 end\n",
        "115 A 1 B 40 1000 0L\n"
        "116 A 2 S 30 1001 0L\n"
        "205 C 1 40 T\n"
        "205 C 2 30 T\n"
        "205 S E\n"
        "216 J 3 destination closed\n"},
    {"the caller may end the session; what is on its way finds it closed",
        "100 enter 1 B 40 1000 0\n"
        "120 enter 2 B 10 1000 0\n"
        "125 end\n"
        "126 S M\n",
        "115 A 1 B 40 1000 0L\n"
        "130 C 1 40 Z\n"
        "130 S E\n"
        "135 J 2 destination closed\n"},
    {"the ninth order finds no record, and so does a replace",
        "1 enter 1 B 1 1 0\n"
        "2 enter 2 B 1 1 0\n"
        "3 enter 3 B 1 1 0\n"
        "4 enter 4 B 1 1 0\n"
        "5 enter 5 B 1 1 0\n"
        "6 enter 6 B 1 1 0\n"
        "7 enter 7 B 1 1 0\n"
        "8 enter 8 B 1 1 0\n"
        "9 enter 9 B 1 1 0\n"
        "10 replace 1 10 2 1 0\n"
        "11 cancel 1 0\n",
        "16 A 1 B 1 1 0L\n"
        "17 A 2 B 1 1 0L\n"
        "18 A 3 B 1 1 0L\n"
        "19 A 4 B 1 1 0L\n"
        "20 A 5 B 1 1 0L\n"
        "21 A 6 B 1 1 0L\n"
        "22 A 7 B 1 1 0L\n"
        "23 A 8 B 1 1 0L\n"
        "24 J 9 processing error\n"
        "25 J 10 processing error\n"
        "26 C 1 1 U\n"},
};

#endif
