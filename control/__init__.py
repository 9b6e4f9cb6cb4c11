"""Decides and configures the machine: profile, plan, apply, verify."""
