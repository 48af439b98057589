"""Split a pasted shell command into words, in the quoting of sh, bash and cmd."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from connections.importers.curl.errors import CurlError

_ANSI_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b",
    "E": "\x1b",
}  # fmt: skip
_ANSI_CODE = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})")
_SPACE = re.compile(r"(?:\s|[\\^`][ \t]*\r?\n)*")
"""What separates words: line breaks are escaped by \\ in sh, by ^ in cmd, by ` in PowerShell."""

_ENDS = ("|", ";", "&", ">", "<")
"""Characters that end a command, outside of quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The words of a command, and what follows its end: a pipe, another command, a comment."""

    words: tuple[str, ...]
    rest: str = ""


def split_command(text: str) -> Command:
    """Split the command; raise CurlError where a quote is never closed."""
    scanner = _Scanner(_without_prompt(_from_cmd(text)))
    words = tuple(scanner.words())
    return Command(words=words, rest=scanner.rest.strip())


def _from_cmd(text: str) -> str:
    """Translate a command copied for Windows' cmd, where ^ escapes, to sh."""
    first_quote = re.search("[\"']", text)
    if first_quote is None or not text[: first_quote.start()].endswith("^"):
        return text
    return re.sub(r"\^(\r?\n|.)", lambda found: _unescape_caret(found[1]), text, flags=re.DOTALL)


def _unescape_caret(character: str) -> str:
    return "\\\n" if character.endswith("\n") else character


def _without_prompt(text: str) -> str:
    return re.sub(r"\A\s*[$#>%]\s+", "", text.strip())


class _Scanner:
    """Scans characters one by one; `rest` is what follows the command's end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.rest = ""

    def words(self) -> Iterator[str]:
        """Yield the words up to the command's end."""
        while True:
            self._skip_space()
            if self._at >= len(self._text):
                return
            if self._text[self._at] in _ENDS or self._text[self._at] == "#":
                self.rest = self._text[self._at :]
                return
            yield self._word()

    def _skip_space(self) -> None:
        # A line break that is not escaped ends a command, but what people paste has lost its
        # backslashes often enough; what follows is read as a part of the same command.
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _word(self) -> str:
        word, is_url = "", False
        while self._at < len(self._text):
            character = self._text[self._at]
            if character == "&":
                # It belongs to a URL, as people forget to quote them. A word that is one stays one.
                is_url = is_url or re.match(r"https?://\S*\?", word) is not None
            if character.isspace() or (character in _ENDS and not (character == "&" and is_url)):
                break
            word += self._part(character)
        return word

    def _part(self, character: str) -> str:
        if self._text.startswith("$'", self._at):
            return self._ansi_quoted()
        self._at += 1
        if character == "'":
            return self._until_quote("'")
        if character == '"':
            return self._double_quoted()
        if character == "\\":
            return self._escaped()
        return character

    def _escaped(self) -> str:
        following = self._text[self._at : self._at + 1]
        self._at += 1
        if following == "\r":
            self._at += 1
        return "" if following in ("\n", "\r") else following

    def _until_quote(self, quote: str) -> str:
        end = self._text.find(quote, self._at)
        if end < 0:
            raise self._unclosed(quote, self._at - 1)
        quoted = self._text[self._at : end]
        self._at = end + 1
        return quoted

    def _double_quoted(self) -> str:
        start, quoted = self._at - 1, ""
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == '"':
                return quoted
            if character == "\\" and self._text[self._at : self._at + 1] in ("$", "`", '"', "\\"):
                character = self._text[self._at]
                self._at += 1
            elif character == "\\" and self._text[self._at : self._at + 1] == "\n":
                character = ""
                self._at += 1
            quoted += character
        raise self._unclosed('"', start)

    def _ansi_quoted(self) -> str:
        start, quoted = self._at, ""
        self._at += 2
        while self._at < len(self._text):
            character = self._text[self._at]
            self._at += 1
            if character == "'":
                return quoted
            quoted += self._ansi_escape() if character == "\\" else character
        raise self._unclosed("$'", start)

    def _ansi_escape(self) -> str:
        code = _ANSI_CODE.match(self._text, self._at)
        if code:
            self._at = code.end()
            return self._character(int(code[1] or code[2] or code[3], 16), code[0])
        letter = self._text[self._at : self._at + 1]
        self._at += 1
        return _ANSI_ESCAPES.get(letter, letter)

    def _character(self, number: int, typed: str) -> str:
        if number == 0 or number > sys.maxunicode or 0xD800 <= number < 0xE000:
            raise CurlError(f"\\{typed}", "This is no character.")
        return chr(number)

    def _unclosed(self, quote: str, start: int) -> CurlError:
        line = self._text.count("\n", 0, start) + 1
        excerpt = self._text[start : start + 40].replace("\n", " ")
        message = f"The quote {quote} that opens in line {line} is never closed."
        return CurlError(excerpt, message)
