"""Abandoned flows in the nightly run: which are sent, when and how, and the requests that they become (SPEC 5)."""

from recovery_batch.outreach.flows.batches import FlowBatches, flow_batches
from recovery_batch.outreach.flows.decisions import FLOW_DECISIONS, decide_flows

__all__ = ["FLOW_DECISIONS", "FlowBatches", "decide_flows", "flow_batches"]
