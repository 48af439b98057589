"""Compile and render Liquid templates, and find the attributes that they use.

Values in an endpoint's template are percent-encoded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import wraps
from io import StringIO
from typing import Any, TextIO
from urllib.parse import quote

from liquid import Environment, RenderContext
from liquid.builtin.expressions.path import Path
from liquid.builtin.filters import string
from liquid.builtin.output import Output, OutputNode
from liquid.exceptions import (
    FilterArgumentError,
    FilterError,
    FilterItemTypeError,
    FilterValueError,
    LiquidError,
)
from liquid.output import LimitedStringIO
from liquid.template import BoundTemplate
from liquid.undefined import Undefined

from connections.core.errors import BuildError, DescriptionError, did_you_mean
from connections.core.request.filters import FILTERS, Filter
from connections.core.values import to_text

Values = Mapping[str, object]
"""The attributes of one referral by key, and the credentials under CREDENTIALS."""

CREDENTIALS = "credentials"
"""The name of the connection's named credentials in templates."""

_MAX_OUTPUT_LENGTH = 256 * 1024
_MAX_LOOP_ITERATIONS = 1_000
_MAX_QUOTED_LENGTH = 80
"""Characters of a template that an error quotes."""

_FORBIDDEN_TAGS = ("include", "render", "capture", "cycle", "echo", "liquid", "tablerow")
"""The first two read other templates; the others write values without an endpoint's encoding."""

_RENDERING_ERRORS = (
    LiquidError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""The errors that Liquid's filters raise for values of a type that they don't expect."""

_QUOTING_ERRORS = (FilterError, FilterArgumentError, FilterValueError, FilterItemTypeError)
"""Liquid's errors whose messages may quote a value, which may be personal data."""


class _TextOutputNode(OutputNode):
    """`{{ … }}` with booleans and decimals written as CRMs expect them."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(to_text(self.expression.evaluate(context)))


class _UrlOutputNode(OutputNode):
    """`{{ … }}` in an endpoint: percent-encoded, so no value changes the URL's structure."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return buffer.write(quote(to_text(self.expression.evaluate(context)), safe=""))


class _ExactTemplate(BoundTemplate):
    """A template that keeps line breaks; Liquid's own turns CR LF into LF."""

    def _get_buffer(self) -> StringIO:
        return LimitedStringIO(_MAX_OUTPUT_LENGTH, newline="")


def _make_environment(node: type[OutputNode]) -> Environment:
    class LimitedEnvironment(Environment):
        loop_iteration_limit = _MAX_LOOP_ITERATIONS
        output_stream_limit = _MAX_OUTPUT_LENGTH
        local_namespace_limit = _MAX_OUTPUT_LENGTH
        template_class = _ExactTemplate

    class OutputTag(Output):
        node_class = node

    environment = LimitedEnvironment()
    for name, function in environment.filters.items():
        if function.__module__ == string.__name__:
            environment.filters[name] = _with_text_booleans(function)
    environment.filters.update(FILTERS)
    environment.add_tag(OutputTag)
    for tag in _FORBIDDEN_TAGS:
        environment.tags.pop(tag)
    return environment


def _with_text_booleans(function: Filter) -> Filter:
    """Return a text filter of Liquid's that gets true as the text "true", not "True"."""

    @wraps(function)
    def filter_(*arguments: object, **named: object) -> object:
        converted = (to_text(value) if isinstance(value, bool) else value for value in arguments)
        return function(*converted, **named)

    return filter_


_TEXT = _make_environment(_TextOutputNode)
_URL = _make_environment(_UrlOutputNode)
# In an endpoint every value is encoded anyway; with this filter it would be encoded twice.
_URL.filters["url_encode"] = to_text


def has_placeholder(text: str) -> bool:
    """Whether a text holds a placeholder or a Liquid tag."""
    return "{{" in text or "{%" in text


class Scope:
    """The values for one rendering: the attributes of a referral and the credentials."""

    __slots__ = ("_context", "values")

    def __init__(self, values: Values) -> None:
        self.values = values
        self._context: RenderContext | None = None

    def context_for(self, template: BoundTemplate) -> RenderContext:
        """Return one context for all lone placeholders of a request, as they assign nothing."""
        if self._context is None:
            self._context = RenderContext(template, globals=self.values)
        return self._context


class Template:
    """A compiled text with placeholders; `{{ email }}` alone keeps the attribute's type."""

    def __init__(self, source: str, *, field: str = "", in_url: bool = False) -> None:
        """Compile the source; raise DescriptionError for `field` if it is not valid Liquid."""
        self.source = source
        self.field = field
        environment = _URL if in_url else _TEXT
        self._template = _compile(environment, source, field)
        self.names = _find_names(environment, self._template, field)
        nodes = self._template.nodes
        self.is_constant = not has_placeholder(source)
        lone = nodes[0] if len(nodes) == 1 else None
        self._expression = lone.expression if isinstance(lone, OutputNode) else None
        self._name = _get_plain_name(self._expression)

    def render(self, scope: Scope) -> str:
        """Return the text with all placeholders replaced; raise BuildError if that fails."""
        if self.is_constant:
            return self.source
        try:
            return self._template.render(scope.values)
        except _RENDERING_ERRORS as error:
            raise self.to_build_error(error) from error

    def value(self, scope: Scope) -> object:
        """Return a lone placeholder's value with its type (None if undefined), else the text.

        Raises BuildError if the template can't be rendered.
        """
        if self._name is not None:
            return scope.values.get(self._name)
        if self._expression is None:
            return self.render(scope)
        try:
            value = self._expression.evaluate(scope.context_for(self._template))
        except _RENDERING_ERRORS as error:
            raise self.to_build_error(error) from error
        return None if isinstance(value, Undefined) else value

    def to_build_error(self, error: Exception) -> BuildError:
        """Return the BuildError for an error that a referral's values caused."""
        source = self.source.strip()[:_MAX_QUOTED_LENGTH]
        return BuildError(f"The template {source!r} can't be rendered: {_reason(error)}.")


def check_names(template: Template, attributes: Iterable[str], credentials: Iterable[str]) -> None:
    """Raise DescriptionError if a template uses an attribute or credential that does not exist."""
    known = {*attributes, CREDENTIALS}
    for name in sorted(template.names):
        root, _, credential = name.partition(".")
        if root == CREDENTIALS:
            _check_name(template, "credential", credential, credentials)
        else:
            _check_name(template, "attribute", root, known)


def _check_name(template: Template, noun: str, name: str, known: Iterable[str]) -> None:
    if not name:
        message = f"Name one of the credentials, as in {CREDENTIALS}.NAME."
        raise DescriptionError(template.field, message)
    if name not in known:
        message = f'There is no {noun} "{name}".{did_you_mean(name, known)}'
        raise DescriptionError(template.field, message)


def _compile(environment: Environment, source: str, field: str) -> BoundTemplate:
    try:
        return environment.from_string(source)
    except LiquidError as error:
        message = (
            f"Not a valid template: {error.message} in {source.strip()[:_MAX_QUOTED_LENGTH]!r}."
        )
        raise DescriptionError(field, message) from error


def _find_names(environment: Environment, template: BoundTemplate, field: str) -> frozenset[str]:
    analysis = template.analyze()
    for name in analysis.filters:
        if name not in environment.filters:
            hint = did_you_mean(name, environment.filters)
            raise DescriptionError(field, f'There is no filter "{name}".{hint}')
    paths = [variable.segments for uses in analysis.globals.values() for variable in uses]
    for path in paths:
        if any(isinstance(segment, list) for segment in path):
            message = f'A name in brackets stands in quotes, as in {CREDENTIALS}["api-key"].'
            raise DescriptionError(field, message)
    return frozenset(".".join(str(segment) for segment in path) for path in paths)


def _reason(error: Exception) -> str:
    """Return the reason of an error as the end of a sentence, without any value."""
    if not isinstance(error, LiquidError):
        return "a value is not what a filter expects"
    message = str(error.message)
    name, _, _ = message.partition(":")
    if not isinstance(error, _QUOTING_ERRORS):
        return message
    if name not in _TEXT.filters:
        return "a value is not what a filter expects"
    return f"the filter {name} can't take its value"


def _get_plain_name(expression: Any) -> str | None:  # noqa: ANN401 - Liquid doesn't export it.
    """Return the attribute's key if the expression is only that, without filters or brackets."""
    left = getattr(expression, "left", None)
    if getattr(expression, "filters", None) or not isinstance(left, Path) or len(left.path) != 1:
        return None
    return left.path[0] if isinstance(left.path[0], str) else None
