"""Parse and format `curl` commands, the form in which API documentation shows a request."""

from connections.importers.curl.body_values import BodyValue
from connections.importers.curl.errors import CurlError
from connections.importers.curl.formatter import to_curl
from connections.importers.curl.parser import ParsedCommand, parse_curl

__all__ = ["BodyValue", "CurlError", "ParsedCommand", "parse_curl", "to_curl"]
