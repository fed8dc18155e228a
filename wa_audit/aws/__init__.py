"""Grammars and facts of AWS, with no I/O: what a policy, a state machine or an event pattern means."""
