"""Registers, rules and pages of one sector each."""
