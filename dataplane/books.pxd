from dataplane.dp_book cimport dp_books
from dataplane.dp_counter cimport dp_counters


cdef class Books:
    cdef dp_books *_books
    cdef dp_counters *_counters  # of feed(); NULL in a view
    cdef size_t _size            # bytes of our own mapping; 0 in a view
    cdef object _owner           # keeps the memory of a view alive


cdef Books books_view(dp_books *books, object owner)
