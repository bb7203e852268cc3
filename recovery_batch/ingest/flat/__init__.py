"""Tables of any names, units and words to records: a file to frames of cells, and those to JSON texts of records."""

from recovery_batch.ingest.flat.headers import looks_like_csv, sniff_delimiter
from recovery_batch.ingest.flat.joining import Joined, is_transactions_header, join_transactions
from recovery_batch.ingest.flat.planning import documented_columns
from recovery_batch.ingest.flat.tables import Batch, Records, Table, open_csv, open_parquet, read_records

__all__ = [
    "Batch",
    "Joined",
    "Records",
    "Table",
    "documented_columns",
    "is_transactions_header",
    "join_transactions",
    "looks_like_csv",
    "open_csv",
    "open_parquet",
    "read_records",
    "sniff_delimiter",
]
