"""Loading, measured against DuckDB's bare read_json of the same file, in one run.

    python benchmarks/loading.py [--records 1000000] [--rounds 3] [--memory]

The same records as NDJSON, as one JSON document, and as CSV with a mapping, each loaded into a new store by the command
line's own code, in a process of its own, in turn with the peer (bare_read_json.sql), and with a peer that leaves the
original record out (bare_typed_columns.sql). Times are from the first byte to
the committed store, after imports. With --memory, documents of 1 GB and 3 GB are loaded too, and the peaks printed.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from recovery_batch.ingest import LoadOptions, load_files, read_mapping
from recovery_batch.store import Store

HERE = Path(__file__).parent
WANTED = {"NDJSON / bare": 3.0, "document / NDJSON": 2.0, "CSV / NDJSON": 1.5, "reload / NDJSON": 1.0}
BARE = {"bare": ("bare_table", "bare_read_json"), "typed": ("bare_typed_columns",)}
MAPPING = """version = 1
[file]
delimiter = ";"
[numbers]
decimal = ","
thousands = "."
[times]
formats = ["%d/%m/%Y %H:%M:%S"]
[columns]
"payment.id" = "Pago"
"payment.order_id" = "Pedido"
"payment.country" = { column = "País", words = { "Colombia" = "CO", "México" = "MX", "Brasil" = "BR" } }
"payment.amount_value" = "Monto"
"payment.created_at" = "Fecha"
"payment.reject_reason" = "Motivo"
"payment.additional_data.user_id" = "Usuario"
"transactions.0.id" = "Transacción"
"transactions.0.amount" = "Monto"
"transactions.0.card.card_iin" = "BIN"
"customer_payer.name" = "Cliente"
"customer_payer.phone_number" = "Celular"
[constants]
"payment.organization_code" = "org-1"
"payment.status" = "DECLINED"
"payment.description" = "shoes"
"payment.currency_code" = "COP"
"transactions.0.status" = "DECLINED"
"transactions.0.payment_method_type" = "CARD"
"transactions.0.description" = "shoes"
"customer_payer.phone_country_code" = "57"
"""
COUNTRIES = {"CO": "Colombia", "MX": "México", "BR": "Brasil"}


def records(count: int) -> Iterator[tuple[str, str]]:
    """Each record as a line of JSON of about 500 bytes, and as a row of CSV that a mapping makes the same of."""
    dice = random.Random(3)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        cents = dice.randrange(100, 99_999_999)
        amount, moment = f"{cents // 100}.{cents % 100:02d}", first + timedelta(seconds=dice.randrange(26_000_000))
        country, user, phone = dice.choice(list(COUNTRIES)), f"u{dice.randrange(300_000)}", dice.randrange(10**9)
        created = moment.strftime("%Y-%m-%d %H:%M:%S")
        yield (
            f'{{"payment":{{"organization_code":"org-1","id":"p{number:08d}","order_id":"o{number // 2}",'
            f'"country":"{country}","status":"DECLINED","description":"shoes","amount_value":{amount},'
            f'"currency_code":"COP","reject_reason":"51","additional_data":{{"user_id":"{user}"}},'
            f'"created_at":"{created}"}},"transactions":[{{"id":"t{number}","amount":{amount},"status":"DECLINED",'
            f'"payment_method_type":"CARD","description":"shoes","card":{{"card_iin":"424242"}}}}],'
            f'"customer_payer":{{"name":"ANA N","phone_number":"3{phone:09d}",'
            '"phone_country_code":"57"}}',
            f"p{number:08d};o{number // 2};{COUNTRIES[country]};{cents // 100:,}".replace(",", ".")
            + f",{cents % 100:02d};{moment:%d/%m/%Y %H:%M:%S};51;{user};t{number};424242;ANA N;3{phone:09d}",
        )


def write_exports(folder: Path, count: int) -> None:
    """The same records in three forms, and the mapping."""
    with (
        (folder / "lines.ndjson").open("w") as lines,
        (folder / "document.json").open("w") as document,
        (folder / "table.csv").open("w") as table,
    ):
        document.write('{"organization_code":"org-1","external_data":[')
        table.write("Pago;Pedido;País;Monto;Fecha;Motivo;Usuario;Transacción;BIN;Cliente;Celular\n")
        for number, (line, row) in enumerate(records(count)):
            lines.write(line + "\n")
            document.write(",\n" * bool(number) + line)
            table.write(row + "\n")
        document.write("]}\n")
    (folder / "mapping.toml").write_text(MAPPING, encoding="utf-8")


def write_document(path: Path, size: int) -> None:
    """A document of so many bytes, of the same kind of records."""
    with path.open("w") as document:
        document.write("[")
        for number, (line, _) in enumerate(records(size // 400)):
            document.write(",\n" * bool(number) + line)
            if document.tell() >= size:
                break
        document.write("]")


def measure(name: str, folder: Path) -> dict[str, float]:
    """One measurement, in this process."""
    began = time.perf_counter()
    if name in BARE:
        with duckdb.connect(str(folder / f"{name}.duckdb")) as connection:
            for query in BARE[name]:
                text = (HERE / f"{query}.sql").read_text(encoding="utf-8")
                connection.execute(text, {"path": str(folder / "lines.ndjson")} if "$path" in text else {})
    else:
        files = {"NDJSON": "lines.ndjson", "reload": "lines.ndjson", "document": "document.json", "CSV": "table.csv"}
        mappings = (read_mapping(folder / "mapping.toml"),) if name == "CSV" else ()
        options = LoadOptions(datetime(2026, 11, 1, tzinfo=UTC), mappings=mappings)
        store_name = "NDJSON" if name == "reload" else name
        with Store.open(folder / f"{store_name}.duckdb", write=True) as store:
            (report,) = load_files(store, [folder / files.get(name, name)], options)
        assert report.error is None, report.error
        assert report.counts["quarantined"] == report.counts["updated"] == 0, report.counts
        assert report.counts["unchanged" if name == "reload" else "inserted"] == report.counts["records"]
    return {
        "seconds": time.perf_counter() - began,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def in_a_process(name: str, folder: Path) -> dict[str, Any]:
    """One measurement, in a process of its own."""
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, __file__, "--measure", name, "--folder", str(folder)], check=True, capture_output=True
    )
    return dict(json.loads(done.stdout))


def compare(folder: Path, count: int, rounds: int) -> None:
    """Print the times and the ratios of their medians."""
    write_exports(folder, count)
    size = (folder / "lines.ndjson").stat().st_size
    print(f"{count:,} records of {size / count:.0f} bytes")
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(rounds):
        for store in folder.glob("*.duckdb*"):
            store.unlink()
        for name in ("bare", "typed", "NDJSON", "reload", "document", "CSV"):
            found.setdefault(name, []).append(in_a_process(name, folder))
    seconds = {name: statistics.median(each["seconds"] for each in all_of) for name, all_of in found.items()}
    for name, taken in seconds.items():
        print(f"{name:10} {taken:6.2f} s   peak {max(each['megabytes'] for each in found[name]):6.0f} MB")
    for ratio, wanted in WANTED.items():
        ours, peer = ratio.split(" / ")
        print(f"{ratio:18} {seconds[ours] / seconds[peer]:5.2f}   (wanted: at most {wanted})")
    print(f"NDJSON / typed     {seconds['NDJSON'] / seconds['typed']:5.2f}   (a peer that keeps no record)")


def peaks(folder: Path) -> None:
    """Print the peak memory of documents of 1 GB and of 3 GB."""
    for gigabytes in (1, 3):
        path = folder / f"{gigabytes}.json"
        write_document(path, gigabytes * 1_000_000_000)
        taken = in_a_process(path.name, folder)
        print(f"{gigabytes} GB document: {taken['seconds']:.1f} s, peak {taken['megabytes']:.0f} MB")
        path.unlink()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="load documents of 1 GB and 3 GB too")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), options.records, options.rounds)
        if options.memory:
            peaks(Path(folder))


if __name__ == "__main__":
    main()
