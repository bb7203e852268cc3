"""Abandoned flows in the nightly run: which are sent, when and how, and the requests that they become (SPEC 5)."""

from recovery_batch.outreach.flows.batches import FlowBatches, flow_batches
from recovery_batch.outreach.flows.decisions import FLOW_DECISIONS, clean_phones, decide_flows, first_paid
from recovery_batch.outreach.flows.numbers import read_number

__all__ = ["FLOW_DECISIONS", "FlowBatches", "clean_phones", "decide_flows", "first_paid", "flow_batches", "read_number"]
