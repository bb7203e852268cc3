"""How personal data is shown on a screen or in a report: masked, so that two people can still be told apart."""

from __future__ import annotations

import re
from unicodedata import normalize

_EMAIL = re.compile(r"\s*[^@\s]+@[^@\s]+\s*")
_PHONE = re.compile(r"\s*(?:\+[0-9 ()./-]{7,}|\(?[0-9]{2,4}\)?[ ./-][0-9 ./-]{5,})\s*")
"""A plus sign or groups of digits: a run of digits alone may as well be an id or an amount."""
_DATE_OR_NUMBER = re.compile(
    r"\s*(?:[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{4}|[+-]?[0-9]+\.[0-9]+)\s*"
)
_PERSONAL_KEYS = frozenset({"name", "user", "customer", "nome", "cpf", "dni", "rut", "curp", "rfc"})
_PERSONAL_STEMS = (
    *("userid", "customerid", "clientid", "payerid", "username", "usuario", "cliente"),
    *("phone", "mobile", "whatsapp", "mail", "telefon", "celular", "movil", "correo"),
    *("fullname", "firstname", "lastname", "surname", "customername", "payername", "cardholder", "holdername"),
    *("nombre", "apellido", "nomecompleto", "sobrenome", "titular"),
    *("document", "cedula", "passport", "pasaporte", "address", "direccion", "endereco"),
)
"""What stands somewhere in a metadata key that names a person, or a way to reach one, in three languages."""
_OF_NO_PERSON = ("optin", "optout", "verified", "valid", "consent", "count", "status", "type")
"""How a key ends that says something about them, and not who it is."""
_NUMBER = re.compile(r"[\s0-9+()./-]+")
_DOT = "•"
_SHOWN_DIGITS = 4


def mask_name(name: str) -> str:
    """`LUCY ROBLES` becomes `L••• R•••`: initials only, whatever the length."""
    return " ".join(part[0] + _DOT * 3 for part in name.split())


def mask_phone(phone: str) -> str:
    """`3183497646` becomes `••••••7646`; a number of four digits or fewer is hidden whole."""
    digits = "".join(filter(str.isdigit, phone))
    if len(digits) <= _SHOWN_DIGITS:
        return _DOT * len(digits)
    return _DOT * (len(digits) - _SHOWN_DIGITS) + digits[-_SHOWN_DIGITS:]


def mask_contact(text: str) -> str:
    """A text, masked where it is an e-mail address or is written like a phone number; any other text as it is."""
    if _EMAIL.fullmatch(text):
        name, _, domain = text.strip().rpartition("@")
        return f"{name[:1]}{_DOT * 3}@{domain}"
    return mask_phone(text) if _PHONE.fullmatch(text) and not _DATE_OR_NUMBER.fullmatch(text) else text


def mask_value(value: str, key: str) -> str:
    """A value of metadata, masked where it is personal by itself, or would be under its key."""
    masked = mask_contact(value)
    if masked != value or not is_personal(key):
        return masked
    return mask_phone(value) if _NUMBER.fullmatch(value) else mask_name(value)


def is_personal(key: str) -> bool:
    """Whether a metadata key names a person, or a way to reach one, however it is spelled: `userId`, `e-mail`."""
    letters = normalize("NFKD", key).lower()
    plain = "".join(letter for letter in letters if letter.isascii() and letter.isalpha())
    if plain.endswith(_OF_NO_PERSON):
        return False
    return plain in _PERSONAL_KEYS or any(stem in plain for stem in _PERSONAL_STEMS)
