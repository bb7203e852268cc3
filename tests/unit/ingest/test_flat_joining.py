import io
from tempfile import TemporaryFile

import pytest

from recovery_batch.contract.abandoned import AbandonedFlow
from recovery_batch.contract.declined import Element
from recovery_batch.ingest.flat.joining import is_transactions_header, join_transactions, transactions_shape
from recovery_batch.ingest.flat.tables import open_csv, read_records
from recovery_batch.ingest.lines import lines_of
from tests.unit.ingest.flat_samples import gathered, mapping_of

PAYMENTS = (
    '{"payment":{"id":"p1","organization_code":"o1","amount_value":1.50}}',
    '{"payment":{"id":"p2","organization_code":"o1"}}',
    '{"payment":{"id":"p3"}}',
    '{"payment":{"id":"p1","organization_code":"o2"},"customer_payer":{}}',
    '{"payment":{"code":"no id"}}',
)


def joined(
    transactions: str, payments: tuple[str, ...] = PAYMENTS, mapping: str | None = None
) -> tuple[list[str], dict[int, str]]:
    """The payments, and the reasons of the transactions that found none."""
    used = mapping_of(mapping) if mapping else None
    records = read_records(open_csv(io.BytesIO(transactions.encode()), "t.csv"), used, Element)
    assert records.are_transactions
    half = len(payments) // 2
    blocks = [lines_of(range(half), payments[:half]), lines_of(range(half, len(payments)), payments[half:])]
    with TemporaryFile() as aside:
        found = list(join_transactions(blocks, records.lines, aside))
    texts, none = gathered(each.lines for each in found if each.are_payments)
    nothing, unread = gathered(each.lines for each in found if not each.are_payments)
    assert not none
    assert not nothing
    return list(texts.values()), {number: reason for number, (reason, *_) in unread.items()}


def test_transactions_go_to_their_payment_in_the_order_of_their_file() -> None:
    texts, unread = joined(
        "payment_id,id,amount,card.card_iin\np2,t1,5.10,411111\np3,t2,7,\np9,t3,1,\np2,t4,1.0,\n,t5,1,\np1,t6\np1,t7,2,\n"
    )
    assert texts == [
        '{"payment":{"id":"p1","organization_code":"o1","amount_value":1.50},"transactions":[{"payment_id":"p1","id":"t7","amount":2}]}',
        '{"payment":{"id":"p2","organization_code":"o1"},"transactions":[{"payment_id":"p2","id":"t1","amount":5.10,'
        '"card":{"card_iin":"411111"}},{"payment_id":"p2","id":"t4","amount":1.0}]}',
        '{"payment":{"id":"p3"},"transactions":[{"payment_id":"p3","id":"t2","amount":7}]}',
        '{"payment":{"id":"p1","organization_code":"o2"},"customer_payer":{},"transactions":[{"payment_id":"p1","id":"t7","amount":2}]}',
        '{"payment":{"code":"no id"}}',
    ]
    assert unread == {3: "no_such_payment", 5: "missing", 6: "bad_row"}


def test_organizations_tell_payments_apart_where_both_name_one() -> None:
    header = "Payment.Id,Organization_Code,Transactions.Id,Transactions.Status"
    texts, unread = joined(f"{header}\np1,o2,t1,D\np1,,t2,D\np3,o9,t3,D\np2,o2,t4,D\n")
    ids = [[part.partition('"')[0] for part in text.split('"id":"t')[1:]] for text in texts]
    assert ids == [["2"], [], ["3"], ["1", "2"], []]
    assert unread == {4: "no_such_payment"}


def test_transactions_that_a_payment_has_already_stay_before_them() -> None:
    payments = (
        '{"transactions":[{"id":"a"}],"payment":{"id":"p1"}}',
        '{"transactions":null,"payment":{"id":"p1"}}',
        '{"transactions":"x","payment":{"id":"p1"}}',
        '{"note":"\\"transactions\\"","payment":{"id":"p1"}}',
        '{"transactions":[{"id":"a"}],"payment":{"id":"p2"}}',
    )
    texts, unread = joined("payment_id,id,amount\np1,t,1.10\n", payments)
    new = '{"payment_id":"p1","id":"t","amount":1.10}'
    assert texts == [
        '{"transactions":[{"id":"a"},' + new + '],"payment":{"id":"p1"}}',
        '{"transactions":[' + new + '],"payment":{"id":"p1"}}',
        '{"transactions":["x",' + new + '],"payment":{"id":"p1"}}',
        '{"note":"\\"transactions\\"","payment":{"id":"p1"},"transactions":[' + new + "]}",
        payments[4],
    ]
    assert not unread


def test_a_payment_that_is_no_json_stays_as_it_is() -> None:
    transactions = read_records(open_csv(io.BytesIO(b"payment_id,id,amount\np1,t,1\n"), "t.csv"), None, Element).lines
    with TemporaryFile() as aside:
        payments, rest = join_transactions([lines_of([1], ['{"payment":{"id":"p1"'])], transactions, aside)
    assert payments.lines.texts.to_pylist() == ['{"payment":{"id":"p1"']
    assert [each.fault.reason for each in rest.lines.unread] == ["no_such_payment"]


def test_a_mapping_names_the_columns_of_transactions() -> None:
    texts, unread = joined(
        "Pago;Tx;Valor;BIN\np2;t1;1234;411111\n",
        mapping="""
        part = "transactions"
        [columns]
        "payment.id" = "Pago"
        "transactions.id" = "Tx"
        "amount" = { column = "Valor", factor = "0.01" }
        "transactions.0.card.card_iin" = "BIN"
        [constants]
        "transaction.status" = "DECLINED"
        """,
    )
    assert texts[1].endswith(
        '"transactions":[{"payment_id":"p2","id":"t1","amount":12.34,"card":{"card_iin":"411111"},"status":"DECLINED"}]}'
    )
    assert not unread


def test_many_transactions_of_many_payments() -> None:
    count = 3_000
    payments = tuple(f'{{"payment":{{"id":"p{number}"}}}}' for number in range(count))
    rows = "".join(f"p{number * 7 % count},t{number},1\n" for number in range(count * 2))
    texts, unread = joined("payment_id,id,amount\n" + rows, payments)
    assert not unread
    for number, text in enumerate(texts):
        first, second = (n for n in range(count * 2) if n * 7 % count == number)
        assert text.count('"id":"t') == 2
        assert text.index(f'"id":"t{first}"') < text.index(f'"id":"t{second}"')


@pytest.mark.parametrize(
    ("header", "are_transactions"),
    [
        ("payment_id,id,amount,status", True),
        (" Payment.ID ,transactions.id,transactions.card.card_iin", True),
        ("transactions.payment_id,transaction.id,organization_code,transaction.status", True),
        ("payment_id,id,note", False),
        ("payment_id,amount,status", False),
        ("payment.id,transactions.0.id,transactions.0.amount", False),
        ("payment.id,payment.amount_value,transactions.id,transactions.amount", False),
        ("payment_id,id,amount,customer_payer.name", False),
        ("payment_id,id,amount,currency_code", False),
        ("id,amount,status", False),
    ],
)
def test_headers_of_transactions(header: str, are_transactions: bool) -> None:
    assert is_transactions_header(header.split(",")) is are_transactions


def test_only_payments_have_transactions() -> None:
    with pytest.raises(ValueError, match="has no transactions"):
        transactions_shape(AbandonedFlow)
