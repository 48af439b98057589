"""Tests of accounts and their custom attributes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError

from connections.core.attributes import CATALOGUE, AttributeType, CampaignKind
from connections.models import (
    Account,
    CustomAttribute,
)


def test_the_catalogue_of_an_account_includes_its_custom_attributes(account: Account) -> None:
    CustomAttribute.objects.create(account=account, key="shoe_size", label="Shoe size")
    CustomAttribute.objects.create(
        account=account, key="colour", label="Colour", type="integer", is_personal=False
    )

    catalogue = account.catalogue()

    assert catalogue.keys() - CATALOGUE.keys() == {"shoe_size", "colour"}
    assert catalogue["shoe_size"].shared_by == {CampaignKind.LEAD_GENERATION}
    assert catalogue["colour"].shared_by == frozenset(CampaignKind)
    assert catalogue["colour"].type is AttributeType.INTEGER
    assert replace(catalogue["shoe_size"], key="x").label == "Shoe size"


@pytest.mark.parametrize("key", ["email", "credentials", "Shoe", "shoe-size", "1st", ""])
def test_a_custom_attribute_with_a_reserved_or_invalid_key_is_refused(
    account: Account, key: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        CustomAttribute(account=account, key=key, label="Label").full_clean()

    assert list(refusal.value.message_dict) == ["key"]
