"""People and old data taken out of the store for good: from every table, and from the bytes of the file."""

from recovery_batch.api.forgetting.erasing import Erasure, forget
from recovery_batch.api.forgetting.persons import Asked
from recovery_batch.api.forgetting.purging import Purge, purge

__all__ = ["Asked", "Erasure", "Purge", "forget", "purge"]
