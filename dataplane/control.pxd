# Cut between characters, and always ended by 0.
cdef void fill(char *target, size_t size, str text) noexcept
