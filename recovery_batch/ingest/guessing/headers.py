"""What columns are called in English, Spanish and Portuguese, and which field of ours that means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from babel.core import get_global

_PAYMENT_FILL: Final = frozenset(
    [
        "payment",
        "pago",
        "pagamento",
        "transaction",
        "transaccion",
        "transacao",
        "tx",
        "txn",
        "trx",
        "of",
        "de",
        "del",
        "do",
        "da",
        "la",
        "el",
        "the",
        "numero",
        "number",
        "no",
        "nro",
        "original",
        "operacion",
        "operacao",
        "operation",
        "export",
        "declined",
        "rechazado",
        "rechazo",
    ]
)
_CUSTOMER_FILL: Final = frozenset(
    [
        "customer",
        "cliente",
        "client",
        "user",
        "usuario",
        "payer",
        "pagador",
        "comprador",
        "buyer",
        "titular",
        "of",
        "de",
        "del",
        "do",
        "da",
        "la",
        "el",
        "the",
        "numero",
        "number",
        "no",
        "nro",
        "contact",
        "contacto",
        "contato",
    ]
)
_CARD_FILL: Final = frozenset(
    [
        "card",
        "tarjeta",
        "cartao",
        "of",
        "de",
        "del",
        "do",
        "da",
        "la",
        "el",
        "the",
        "numero",
        "number",
        "payment",
        "pago",
    ]
)

_DECLINED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "payment.id": "payment id|id payment|id pago|pago id|id pagamento|pagamento id|transaction id|id transaccion|"
        "transaccion id|id transacao|transacao id|txn id|trx id|id operacion|id|uuid|transaccion|transacao|transaction|"
        "payment|pago|pagamento|folio|nsu|payment reference|reference|referencia",
        "payment.organization_code": "organization code|organization|organization id|organizacion|organizacao|org|"
        "organisation|merchant id|merchant code|merchant|codigo comercio|id comercio|comercio|comerciante|lojista|"
        "merchant name|nombre comercio|account id",
        "payment.order_id": "order id|id order|order|order number|numero pedido|id pedido|pedido|id orden|orden id|"
        "numero orden|orden|ordem|id ordem|merchant order id|merchant reference|orden compra",
        "payment.country": "country|country code|pais|codigo pais|pais codigo|country name|nombre pais|nome pais",
        "payment.status": "status|payment status|estado|estatus|situacao|situacion|state|estado pago|status pagamento|"
        "resultado|result",
        "payment.sub_status": "sub status|substatus|sub estado|subestado|status detail|detalle estado",
        "payment.description": "description|descripcion|descricao|concepto|concept|detalle|detalhe|product|producto|"
        "produto|glosa",
        "payment.amount_value": "amount value|amount|monto|importe|valor|payment amount|total amount|monto total|"
        "importe total|valor total|total|value|amount cents|amount in cents|amount minor|monto centavos|valor centavos|"
        "importe centavos|amount minor units|quantia|price|precio|preco",
        "payment.currency_code": "currency code|currency|moneda|codigo moneda|moeda|codigo moeda|divisa|ccy",
        "payment.reject_reason": "reject reason|rejection reason|decline reason|reason|motivo rechazo|motivo|rechazo|"
        "razon rechazo|razon|motivo recusa|recusa|reject|rejection|failure reason|failure message|error message|"
        "mensaje error|mensagem erro|causa",
        "payment.code": "payment code|codigo pago",
        "payment.created_at": "created at|created|payment date|transaction date|fecha creacion|creado|creado en|"
        "fecha hora|fecha|date|data|data hora|data criacao|criado em|datetime|date time|timestamp|created on|"
        "created date|creation date|fecha transaccion|fecha pago|time|dt",
        "payment.metadata": "metadata|metadatos|metadados|meta|custom data",
        "payment.additional_data": "additional data|datos adicionales|dados adicionais",
        "payment.additional_data.user_id": "user id|customer id|id cliente|cliente id|id usuario|usuario id|client id|"
        "payer id|id user|id customer|usuario|user",
        "payment.additional_data.response_code": "response code|codigo respuesta|codigo resposta|decline code|"
        "error code|codigo error|codigo erro|codigo rechazo|reject code",
        "payment.additional_data.iso_response_code": "iso response code|iso code|iso8583 response code|codigo iso|"
        "network response code|codigo respuesta iso",
        "transactions": "transactions|transacciones|transacoes",
        "transactions.0.card.card_iin": "bin|iin|card bin|card iin|bin tarjeta|bin cartao|first6|first 6|"
        "primeros 6|first six|six first",
        "transactions.0.card.card_lfd": "last4|last 4|card last4|last four|last four digits|ultimos 4|ultimos4|"
        "ultimos 4 digitos|ultimos cuatro|lfd|card lfd|4 ultimos digitos",
        "transactions.0.card.issuer_name": "issuer|issuer name|card issuer|bank|bank name|banco|banco emisor|emisor|"
        "banco emissor|emissor|issuing bank",
        "transactions.0.card.card_type": "card type|tipo tarjeta|tipo cartao|funding",
        "transactions.0.payment_method_type": "payment method type|payment method|method|metodo pago|metodo|"
        "medio pago|medio|forma pago|forma pagamento|metodo pagamento|meio pagamento",
        "transactions.0.provider": "provider|proveedor|provedor|pasarela|gateway|psp|processor|procesador|adquirente|"
        "acquirer|payment provider|proveedor pago",
        "customer_payer.name": "customer name|name|full name|payer name|nombre|nombre cliente|nombre completo|cliente|"
        "customer|nome|nome cliente|nome completo|client|client name|cardholder|cardholder name|titular|"
        "nombre titular|pagador|payer|buyer|comprador",
        "customer_payer.phone_number": "phone number|phone|customer phone|telefono|celular|telefone|whatsapp|movil|"
        "mobile|mobile phone|cell phone|cellphone|tel|fone|numero telefono|telefono movil|msisdn|mobile number",
        "customer_payer.phone_country_code": "phone country code|phone code|indicativo|ddi|prefijo|prefixo|"
        "codigo pais telefono|indicativo pais|dial code|calling code|phone prefix|country calling code|"
        "prefijo telefono|prefijo pais|codigo telefono|country code|codigo pais|codigo area",
        "customer_payer.additional_data.email": "email|e mail|mail|correo|correo electronico|customer email|"
        "email cliente|correo cliente|email address",
    }
)
_ABANDONED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "customer.full_name": f"full name|{_DECLINED['customer_payer.name']}",
        "customer.phone_number": _DECLINED["customer_payer.phone_number"],
        "customer.email": _DECLINED["customer_payer.additional_data.email"],
        "customer.country_code": f"customer country|{_DECLINED['payment.country']}",
        "customer.language": "language|idioma|lengua|lingua|locale|lang",
        "session.abandonment_timestamp": "abandonment timestamp|abandoned at|abandonment date|abandonment time|"
        "fecha abandono|abandono|data abandono|hora abandono|last activity|ultima actividad|"
        + _DECLINED["payment.created_at"],
        "session.flow_stage": "flow stage|stage|etapa|step|paso|etapa flujo|passo|funnel stage|fase",
        "session.platform": "platform|plataforma|device|dispositivo|os|source platform",
        "session.session_id": "session id|id sesion|sesion id|id sessao|sessao id|session|sesion|sessao|cart id|"
        "id carrito|checkout id|id|uuid",
        "cart.total_value": f"cart total|cart value|total value|valor carrito|total carrito|"
        f"{_DECLINED['payment.amount_value']}",
        "cart.currency": _DECLINED["payment.currency_code"],
        "cart.items": "items|cart items|productos|produtos|articulos|itens|products",
        "engagement.preferred_channel": "preferred channel|channel|canal|canal preferido|preferred contact",
        "engagement.reason": "reason|motivo|razon|abandonment reason|motivo abandono",
        "engagement.metadata": "metadata|metadatos|metadados|meta",
    }
)
_CURRENCIES: Final = frozenset(code.lower() for code in get_global("all_currencies"))
_LINKS: Final = frozenset(["de", "del", "do", "da", "la", "el", "los", "las", "of", "the", "en", "em"])


def normalised(name: str) -> str:
    """A name in lower case, without accents, its words apart by one blank: `IdTransacción` is `id transaccion`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFC", name))
    bare = "".join(each for each in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(each))
    return " ".join(re.findall(r"[a-z0-9]+", bare.casefold()))


def currency_in(name: str) -> str | None:
    """The currency that the name of a column of amounts ends or begins with, as in `amount_usd`; None: none."""
    words = normalised(name).split()
    found = {word.upper() for word in (words[:1] + words[-1:]) if len(words) > 1 and word in _CURRENCIES}
    return found.pop() if len(found) == 1 else None


def by_name(
    columns: Sequence[str], root: str, fits: Callable[[str, str], bool], taken: Mapping[str, str]
) -> dict[str, str]:
    """Columns by the path that their names mean; each column once, and each path.

    Args:
        columns: Names of columns.
        root: `payment` for declined payments, else abandoned flows are meant.
        fits: Whether the values of a column (second) may be those of a path (first).
        taken: Columns by path that are settled.
    """
    table = _DECLINED if root == "payment" else _ABANDONED
    scored = [
        (-score, columns.index(column), path, column)
        for path, phrases in table.items()
        for column in columns
        if column not in taken.values() and path not in taken
        if (score := _score(path, phrases.split("|"), column)) and fits(path, column)
    ]
    found: dict[str, str] = {}
    for _, _, path, column in sorted(scored):
        if path not in found and column not in found.values():
            found[path] = column
    return found


def _score(path: str, phrases: Sequence[str], column: str) -> int:
    """How surely a column is called by one of the phrases of a path; 0: it is not."""
    words = normalised(column).split()
    bare = [word for word in words if word not in _LINKS] or words
    joined = [phrase.replace(" ", "") for phrase in phrases]  # `WhatsApp` is one word to most, `last4` two to some
    if "".join(bare) in joined:
        return 1000 - joined.index("".join(bare))
    if "amount" in path or path == "cart.total_value":
        fill = _PAYMENT_FILL | _CURRENCIES
    elif path.startswith("customer"):
        fill = _CUSTOMER_FILL
    elif ".card." in path:
        fill = _CARD_FILL
    else:
        fill = _PAYMENT_FILL
    best = 0
    for place, phrase in enumerate(phrases):
        core = phrase.split()
        rest = list(bare)
        if all(word in rest for word in core):
            for word in core:
                rest.remove(word)
            if all(word in fill for word in rest):
                best = max(best, 500 + 50 * len(core) - 20 * len(rest) - place)
    return best
