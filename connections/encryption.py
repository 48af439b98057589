"""Encrypt and decrypt credentials at rest with the installation's keys."""

from __future__ import annotations

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def encrypt(text: str) -> str:
    """Return the text encrypted with the first of the installation's keys."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the text that was encrypted with any of the installation's keys.

    Raises ImproperlyConfigured if none of the keys fits.
    """
    try:
        return _cipher(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken as error:
        message = (
            "A credential was encrypted under a key that ENCRYPTION_KEYS does not hold. "
            "Add the key that was in use when it was saved."
        )
        raise ImproperlyConfigured(message) from error


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
