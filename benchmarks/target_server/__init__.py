"""The CRM of all measurements, in a process of its own; must not know who sends to it."""

from benchmarks.target_server.handle import Sink, Tally, a_sink

__all__ = ["Sink", "Tally", "a_sink"]
