"""`curl` commands, in which API documentation says what a request looks like: read and write."""

from connections.curl.errors import CurlError
from connections.curl.leaves import Leaf
from connections.curl.reading import CurlReading, read_curl
from connections.curl.writing import to_curl

__all__ = ["CurlError", "CurlReading", "Leaf", "read_curl", "to_curl"]
