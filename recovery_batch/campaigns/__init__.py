"""Campaigns: their model, their files, and how the store keeps them."""

from recovery_batch.campaigns.files import parse_campaigns, read_campaigns, write_campaigns
from recovery_batch.campaigns.models import Campaign, Duration, Schedule
from recovery_batch.campaigns.repository import (
    ImportedCampaign,
    all_campaigns,
    get_campaign,
    import_campaigns,
    list_campaigns,
)

__all__ = [
    "Campaign",
    "Duration",
    "ImportedCampaign",
    "Schedule",
    "all_campaigns",
    "get_campaign",
    "import_campaigns",
    "list_campaigns",
    "parse_campaigns",
    "read_campaigns",
    "write_campaigns",
]
