"""Where requests go and with which keys. Keys come from the environment or a folder of secrets, and are never shown."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from pydantic import SecretStr

from recovery_batch.errors import UsageError
from recovery_batch.outreach.batches import ENDPOINTS
from recovery_batch.settings import Submit

PUBLIC_VARIABLE: Final = "RECOVERY_BATCH_PUBLIC_API_KEY"
PRIVATE_VARIABLE: Final = "RECOVERY_BATCH_PRIVATE_SECRET_KEY"
_PUBLIC_FILE: Final = "public_api_key"
_PRIVATE_FILE: Final = "private_secret_key"
_HEADERS: Final[Mapping[Literal["abandoned-flows", "campaigns"], tuple[str, str]]] = MappingProxyType(
    {
        "abandoned-flows": ("public-api-key", "private-secret-key"),
        "campaigns": ("X-Public-Api-Key", "X-Private-Secret-Key"),
    }
)
"""The two documented spellings."""
_KEY: Final = re.compile(r"[!-~]+")
_LONGEST_KEY: Final = 4096
_BASE: Final = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_OTHERS: Final = 0o007


@dataclass(frozen=True, slots=True)
class Keys:
    """The two keys; None where there is none. Their repr hides them."""

    public: SecretStr | None
    private: SecretStr | None

    def headers(self, spelling: Literal["abandoned-flows", "campaigns"]) -> dict[str, str]:
        """The headers that carry the keys that are there."""
        pairs = zip(_HEADERS[spelling], (self.public, self.private), strict=True)
        return {name: key.get_secret_value() for name, key in pairs if key is not None}


def read_keys(secrets: Path | None, environment: Mapping[str, str]) -> Keys:
    """The keys of a folder of secrets, where one is named, else of the environment.

    Args:
        secrets: A folder with the files public_api_key and private_secret_key, or one of them.
        environment: The variables of the process.

    Raises:
        UsageError: the folder or a file in it cannot be read, everybody on the machine can read it, or what it holds
            can be no key; says nothing of what it holds.
    """
    if secrets is None:
        return Keys(*(_key(environment.get(name, ""), name) for name in (PUBLIC_VARIABLE, PRIVATE_VARIABLE)))
    if not secrets.is_dir():
        raise UsageError(
            f"{secrets}: no folder of secrets", hint=f"It holds the files {_PUBLIC_FILE} and {_PRIVATE_FILE}."
        )
    return Keys(*(_read_key(secrets / name) for name in (_PUBLIC_FILE, _PRIVATE_FILE)))


def destinations(settings: Submit, declined_url: str | None, abandoned_url: str | None) -> dict[str, str]:
    """The address for each kind that has one: of the command line, else of the settings.

    Raises:
        UsageError: an address is not HTTPS (nor plain HTTP on this machine), or has what no base URL has.
    """
    bases = {
        "declined": settings.declined_url if declined_url is None else declined_url,
        "abandoned": settings.abandoned_url if abandoned_url is None else abandoned_url,
    }
    return {kind: _checked(base, kind) + ENDPOINTS[kind] for kind, base in bases.items() if base}


def check_ready(kinds: set[str], urls: Mapping[str, str], keys: Keys) -> None:
    """Refuse to send without an address, or abandoned flows without both keys.

    Raises:
        UsageError: names what is missing.
    """
    for kind in sorted(kinds - set(urls)):
        raise UsageError(
            f"no base URL for requests of the kind {kind}",
            hint=f"Give --{kind}-url https://HOST/PATH, or {kind}_url under [submit] in the settings.",
        )
    if "abandoned" in kinds and (keys.public is None or keys.private is None):
        raise UsageError(
            "abandoned flows need two keys, and one is missing",
            hint=f"Set {PUBLIC_VARIABLE} and {PRIVATE_VARIABLE}, or name a folder with --secrets.",
        )


def _read_key(path: Path) -> SecretStr | None:
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path}: {why}") from None  # a decoding error holds the bytes
    if mode & _OTHERS:
        raise UsageError(f"{path}: everybody on this machine can read it", hint=f"Close it: chmod o-rwx {path}")
    return _key(text.rstrip("\r\n"), str(path))


def _key(text: str, source: str) -> SecretStr | None:
    if not text:
        return None
    if not _KEY.fullmatch(text) or len(text) > _LONGEST_KEY:
        raise UsageError(
            f"{source} holds no key: a key is visible ASCII characters without blanks",
            hint="What stood there is not shown.",
        )
    return SecretStr(text)


def _checked(base: str, kind: str) -> str:
    """A base URL without a slash at its end."""
    import httpx2

    try:
        url = httpx2.URL(base)
    except httpx2.InvalidURL:
        raise _not_a_base(kind) from None  # it may hold a password
    if not _BASE.fullmatch(base) or not url.host:
        raise _not_a_base(kind)
    if url.scheme == "http" and not _is_loopback(url.host):
        raise UsageError(
            f"the base URL for requests of the kind {kind} is plain HTTP to {url.host}; allowed: HTTPS",
            hint="Plain HTTP goes to this machine only: localhost, 127.0.0.0/8, [::1].",
        )
    return str(url).rstrip("/")


def _not_a_base(kind: str) -> UsageError:
    return UsageError(
        f"the base URL for requests of the kind {kind} is none; "
        "allowed: https://HOST/PATH, without user, query and fragment",
        hint="See docs/submission.md for the documented ones.",
    )


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback
