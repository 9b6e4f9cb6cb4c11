/* Readers of books whose writer is another process that is stopped and killed in the middle of a
 * change. */
#include "dp_book_watch.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "dp_book_layout.h"
#include "dp_process.h"

#define CENT 10000000ll
#define TRIES 2000 /* a writer that does nothing else is in a change at every third look */

static const struct dp_books_config config = {2, 64, 64};

static struct dp_books *new_books(void)
{
    void *memory = mmap(
        NULL, dp_books_size(&config), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    CHECK_EQUAL(dp_books_init(memory, &config, NULL), 0);
    dp_book_open(memory, 0, "STILL   ");
    dp_book_open(memory, 1, "BUSY    ");
    dp_book_add(memory, 0, 1, DP_SIDE_BUY, 5, 100 * CENT, 1);
    return memory;
}

static void write_for_ever(struct dp_books *books)
{
    for (uint64_t order_ref = 2;; order_ref++) {
        dp_book_add(
            books, 1, order_ref, DP_SIDE_SELL, 7, (200 + (int64_t)(order_ref % 9)) * CENT, 2);
        dp_book_remove(books, order_ref, 3);
    }
}

static pid_t start_writer(struct dp_books *books)
{
    fflush(stdout);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies leaves no writer behind */
        if (getppid() != parent)
            _exit(1);
        dp_books_set_writer(books, dp_process_id());
        write_for_ever(books);
    }
    return child;
}

static bool is_in_a_change(const struct dp_books *books)
{
    return dp_load_acquire(&books->book[1].sequence) & 1;
}

static void stop(pid_t writer)
{
    int status;
    CHECK_EQUAL(kill(writer, SIGSTOP), 0);
    CHECK_EQUAL(waitpid(writer, &status, WUNTRACED), writer);
    CHECK(WIFSTOPPED(status));
}

/* Stopped, and in the middle of a change or not, as wanted. */
static pid_t stopped_writer(struct dp_books *books, bool in_a_change)
{
    pid_t writer = start_writer(books);
    for (int try = 0; try < TRIES; try++) {
        usleep(200);
        stop(writer);
        if (dp_books_writer(books) != 0 && is_in_a_change(books) == in_a_change)
            return writer;
        kill(writer, SIGCONT);
    }
    CHECK_THAT(false, "%d looks met no writer that was %s a change", TRIES,
        in_a_change ? "in" : "between");
    return writer;
}

static void end(pid_t writer)
{
    CHECK_EQUAL(kill(writer, SIGKILL), 0);
    CHECK_EQUAL(waitpid(writer, NULL, 0), writer);
}

static enum dp_book_read_result look(const struct dp_books *books, uint32_t instrument_index)
{
    struct dp_book_level_view bid, ask;
    struct dp_book_view view = {.bids = &bid, .asks = &ask};
    return dp_book_watch(books, instrument_index, 1, &view);
}

static void test_a_book_whose_writer_died_in_a_change_is_stale(void)
{
    struct dp_books *books = new_books();
    pid_t writer = stopped_writer(books, true);
    CHECK_EQUAL(look(books, 1), DP_BOOK_READ_BUSY); /* stopped is not dead */
    CHECK_EQUAL(look(books, 0), DP_BOOK_READ_OK);
    kill(writer, SIGKILL);
    siginfo_t info;
    waitid(P_PID, (id_t)writer, &info, WEXITED | WNOWAIT); /* a zombie writes no more */
    CHECK_EQUAL(look(books, 1), DP_BOOK_READ_STALE);
    end(writer);
    CHECK_EQUAL(look(books, 1), DP_BOOK_READ_STALE);
    CHECK_EQUAL(look(books, 0), DP_BOOK_READ_OK);
    munmap(books, dp_books_size(&config));
}

static void test_books_of_a_writer_that_died_between_changes_stay_readable(void)
{
    struct dp_books *books = new_books();
    end(stopped_writer(books, false));
    CHECK_EQUAL(look(books, 0), DP_BOOK_READ_OK);
    CHECK_EQUAL(look(books, 1), DP_BOOK_READ_OK);
    munmap(books, dp_books_size(&config));
}

static void test_an_unknown_writer_may_come_back(void)
{
    struct dp_books *books = new_books();
    end(stopped_writer(books, true));
    dp_books_set_writer(books, 0);
    CHECK_EQUAL(look(books, 1), DP_BOOK_READ_BUSY);
    munmap(books, dp_books_size(&config));
}

int main(void)
{
    RUN_TESTS(TEST(test_a_book_whose_writer_died_in_a_change_is_stale),
        TEST(test_books_of_a_writer_that_died_between_changes_stay_readable),
        TEST(test_an_unknown_writer_may_come_back));
}
