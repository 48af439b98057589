"""`curl` commands, in which API documentation says what a request looks like: read and write."""

from connections.importers.curl.body_values import BodyValue
from connections.importers.curl.errors import CurlError
from connections.importers.curl.formatter import to_curl
from connections.importers.curl.parser import ParsedCommand, parse_curl

__all__ = ["BodyValue", "CurlError", "ParsedCommand", "parse_curl", "to_curl"]
