"""Forms of a connection and of the rows that belong to it."""

from connections.forms.authorization import authorization_field_names
from connections.forms.connections import make_connection_form
from connections.forms.contacts import TechnicalContactForm
from connections.forms.endpoints import EndpointFormSet, make_endpoint_form
from connections.forms.responses import ExpectedResponseForm, RuleForm

__all__ = [
    "EndpointFormSet",
    "ExpectedResponseForm",
    "RuleForm",
    "TechnicalContactForm",
    "authorization_field_names",
    "make_connection_form",
    "make_endpoint_form",
]
