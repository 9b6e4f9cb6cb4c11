"""Verbs about the machine: facts, profiles, plans and what is done with them."""
