"""The forms at the doors of a new connection: what a preset or a pasted command leaves open.

Must not know pages; saving goes through the same door as a connection from a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from connections.core.attributes import Attribute
from connections.core.errors import DescriptionError
from connections.core.request.authorization import Authorization
from connections.core.request.builder import check_endpoint
from connections.core.spec import ConnectionSpec, Environment
from connections.forms.authorization import setting_field
from connections.forms.fields import DocumentField
from connections.importers.curl import ParsedCommand
from connections.importers.curl.attribute_matching import placeholder
from connections.importers.curl.parser import Candidate
from connections.mapping.to_rows import store_connection
from connections.models import Account, Connection
from connections.models.connections import ENVIRONMENT_CHOICES

_SETTING, _CREDENTIAL, _ENDPOINT, _OFFER = "setting_", "credential_", "endpoint_", "offer_"


class _NewConnectionForm(forms.Form):
    """What every new connection needs: an account, a name, and the credentials that are missing."""

    account = forms.ModelChoiceField(queryset=Account.objects.none())
    name = forms.CharField(max_length=200, help_text="Give your connection a name.")

    def __init__(self, data: Any, *, accounts: QuerySet[Account], **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(data, **kwargs)
        set_accounts(self, accounts)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        account, name = cleaned.get("account"), cleaned.get("name")
        if account and name and Connection.objects.filter(account=account, name=name).exists():
            self.add_error("name", f"{account} has a connection of this name already.")
        return cleaned

    def store(self, spec: ConnectionSpec) -> Connection | None:
        """The new connection, or None with the errors on the form."""
        try:
            return store_connection(spec, account=self.cleaned_data["account"])
        except DescriptionError as error:
            self.add_error(None, str(error))
        except ValidationError as error:
            self.add_error(None, error.messages)
        return None

    def authorization(self, authorization: Authorization) -> Authorization:
        """The authorization with what was entered; raises DescriptionError."""
        own = {
            setting.name: getattr(authorization, setting.name)
            for setting in authorization.settings()
        }
        given = {name: value for name, value in self.entered(_SETTING).items() if value}
        return type(authorization).from_settings({**own, **given})

    def entered(self, prefix: str) -> dict[str, str]:
        """What was entered into the fields of this prefix."""
        return {
            name.removeprefix(prefix): value
            for name, value in self.cleaned_data.items()
            if name.startswith(prefix)
        }

    def group(self, prefix: str) -> list[forms.BoundField]:
        """The fields of this prefix, for the template."""
        return [self[name] for name in self.fields if name.startswith(prefix)]

    def setting_group(self) -> list[forms.BoundField]:
        """The settings of the authorization and the named credentials."""
        return [*self.group(_SETTING), *self.group(_CREDENTIAL)]


class PresetForm(_NewConnectionForm):
    """What a preset leaves open: endpoints and credentials."""

    def __init__(self, data: Any, *, spec: ConnectionSpec, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(data, initial={"name": spec.name, **kwargs.pop("initial", {})}, **kwargs)
        self._spec = spec
        for environment in Environment:
            self.fields[f"{_ENDPOINT}{environment}"] = forms.CharField(
                label=environment.value.capitalize(),
                required=environment is Environment.PRODUCTION,
                initial=spec.endpoints.get(environment, ""),
                max_length=2000,
                widget=forms.TextInput(attrs={"spellcheck": "false", "placeholder": "https://"}),
            )
        for setting in spec.authorization.settings():
            field = setting_field(setting)
            field.initial = "" if setting.is_secret else getattr(spec.authorization, setting.name)
            self.fields[f"{_SETTING}{setting.name}"] = field
        add_credential_fields(self, spec.credentials)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for environment in Environment:
            url = cleaned.get(f"{_ENDPOINT}{environment}")
            try:
                check_endpoint(url or "https://any")
            except DescriptionError as error:
                self.add_error(f"{_ENDPOINT}{environment}", error.message)
        return cleaned

    def endpoint_group(self) -> list[forms.BoundField]:
        """The fields of the endpoints."""
        return self.group(_ENDPOINT)

    def save(self) -> Connection | None:
        """The new connection, or None with the errors on the form."""
        try:
            authorization = self.authorization(self._spec.authorization)
        except DescriptionError as error:
            self.add_error(f"{_SETTING}{error.field}", error.message)
            return None
        endpoints = {name: url for name, url in self.entered(_ENDPOINT).items() if url}
        spec = replace(
            self._spec,
            name=self.cleaned_data["name"],
            endpoints=endpoints,
            authorization=authorization,
            credentials=self.entered(_CREDENTIAL),
        )
        return self.store(spec)


class CommandForm(forms.Form):
    """A pasted command, and whose connection it becomes."""

    account = forms.ModelChoiceField(queryset=Account.objects.none())
    command = DocumentField(
        label="Command",
        widget=forms.Textarea(
            attrs={"rows": 10, "spellcheck": "false", "autocomplete": "off", "wrap": "off"}
        ),
    )

    def __init__(self, data: Any, *, accounts: QuerySet[Account]) -> None:  # noqa: ANN401
        super().__init__(data)
        set_accounts(self, accounts)


class ReviewForm(_NewConnectionForm):
    """What a command was understood as: each of its values, and what shall stand in its place."""

    environment = forms.ChoiceField(choices=ENVIRONMENT_CHOICES)
    reviewed = forms.CharField(widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any,  # noqa: ANN401
        *,
        reading: ParsedCommand,
        command: str,
        catalogue: Mapping[str, Attribute],
        accounts: QuerySet[Account],
    ) -> None:
        super().__init__(data, accounts=accounts)
        self._reading, self._catalogue = reading, catalogue
        self._digest = hashlib.sha256(command.encode()).hexdigest()
        self.initial = {
            "name": reading.host,
            "environment": reading.environment.value,
            "reviewed": self._digest,
        }
        for number, offer in enumerate(reading.candidates):
            self.fields[f"{_OFFER}{number}"] = _candidate_field(offer, catalogue)
        authorization = reading.credentials.authorization
        for setting in authorization.settings():
            if setting.is_secret and not getattr(authorization, setting.name):
                self.fields[f"{_SETTING}{setting.name}"] = setting_field(setting)
        missing = {name for name, value in reading.credentials.named.items() if not value}
        add_credential_fields(self, dict.fromkeys(sorted(missing), ""))

    def clean_reviewed(self) -> str:
        """Refuse choices that were made for another command than the one that is here now."""
        if self.cleaned_data["reviewed"] != self._digest:
            raise ValidationError("The command has changed since; look at its values once more.")
        return self._digest

    def candidates(self) -> Iterator[tuple[Candidate, forms.BoundField]]:
        """Each value of the command with its field."""
        for number, offer in enumerate(self._reading.candidates):
            yield offer, self[f"{_OFFER}{number}"]

    def save(self) -> Connection | None:
        """The new connection, or None with the errors on the form."""
        chosen = {offer.id: self.cleaned_data[field.name] for offer, field in self.candidates()}
        spec = self._reading.spec(
            {label: template for label, template in chosen.items() if template},
            name=self.cleaned_data["name"],
            environment=self.cleaned_data["environment"],
            catalogue=self._catalogue,
        )
        return self.store(
            replace(
                spec,
                authorization=self.authorization(spec.authorization),
                credentials={**spec.credentials, **self.entered(_CREDENTIAL)},
            )
        )


def set_accounts(form: forms.Form, accounts: QuerySet[Account]) -> None:
    """Offer these accounts; whoever has one alone need not choose it."""
    field = form.fields["account"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - it is declared above.
    field.queryset = accounts
    only = list(accounts[:2])
    if len(only) == 1:
        field.initial, field.empty_label = only[0], None


def add_credential_fields(form: forms.Form, credentials: Mapping[str, str]) -> None:
    """A field for each named credential, without which its placeholder would have no value."""
    for name in credentials:
        form.fields[f"{_CREDENTIAL}{name}"] = forms.CharField(
            label=f"Credential {name}",
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        )


def _candidate_field(offer: Candidate, catalogue: Mapping[str, Attribute]) -> forms.ChoiceField:
    choices = [
        (placeholder(attribute, is_text=offer.leaf.is_text), attribute.label)
        for attribute in catalogue.values()
    ]
    guessed = offer.match_attribute.template if offer.match_attribute else ""
    if guessed and guessed not in dict(choices):
        choices.insert(0, (guessed, guessed))
    kept = f"keep {offer.leaf.value[:60]}"
    is_sure = offer.match_attribute is not None and offer.match_attribute.is_sure
    return forms.ChoiceField(
        label=offer.leaf.label,
        choices=[("", kept), *choices],
        required=False,
        initial=guessed if is_sure else "",
    )
