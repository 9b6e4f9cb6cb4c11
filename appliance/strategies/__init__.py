"""The strategies that ship; each is one Cython file and a tutorial by example."""
