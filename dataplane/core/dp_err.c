#include "dp_err.h"

#include <stdarg.h>
#include <stdio.h>

int dp_err_set(struct dp_err *err, int code, const char *format, ...)
{
    if (err == NULL)
        return -code;

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->text, sizeof(err->text), format, arguments);
    va_end(arguments);
    err->code = code;
    return -code;
}
