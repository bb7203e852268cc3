"""Whether the folder of a run is what its manifest says, and its request bodies what the contract asks for."""

from recovery_batch.outreach.validating.folders import Validation, validate_folder

__all__ = ["Validation", "validate_folder"]
