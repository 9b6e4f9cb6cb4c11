"""The dataplane: C modules and their thin Cython classes."""
