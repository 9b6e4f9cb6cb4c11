/*
 * dp_err - the text of a set-up failure, for the person who can act on it.
 *
 * Set-up functions return 0 or -errno and fill the caller's dp_err in the form
 * `where: what: the value; what would do` (lower case, no full stop). Hot functions never use it:
 * they return an enum and count. No thread rules: the struct belongs to the caller.
 */
#ifndef DP_ERR_H
#define DP_ERR_H

#define DP_ERR_TEXT_SIZE 512

struct dp_err {
    int code; /* positive errno, 0 when nothing failed */
    char text[DP_ERR_TEXT_SIZE];
};

/* Formats text, stores code, returns -code so that callers can `return dp_err_set(...)`.
 * err may be NULL. */
int dp_err_set(struct dp_err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
