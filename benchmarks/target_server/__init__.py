"""The server that all scenarios deliver to, in a process of its own."""

from benchmarks.target_server.handle import RequestCounts, TargetServer, run_target_server

__all__ = ["RequestCounts", "TargetServer", "run_target_server"]
