"""Campaigns: their model, their files, the eight operations, and how the store keeps them."""

from recovery_batch.campaigns.files import is_yaml, parse_campaigns, read_campaigns, read_document, write_campaigns
from recovery_batch.campaigns.json_schema import campaign_file_schema
from recovery_batch.campaigns.models import Campaign, Duration, Schedule
from recovery_batch.campaigns.operations import (
    create_campaign,
    create_rules,
    get_rule,
    update_campaign_status,
    update_rule,
    update_rule_status,
)
from recovery_batch.campaigns.repository import (
    ImportedCampaign,
    Version,
    all_campaigns,
    campaign_at,
    campaign_history,
    get_campaign,
    import_campaigns,
    list_campaigns,
)

__all__ = [
    "Campaign",
    "Duration",
    "ImportedCampaign",
    "Schedule",
    "Version",
    "all_campaigns",
    "campaign_at",
    "campaign_file_schema",
    "campaign_history",
    "create_campaign",
    "create_rules",
    "get_campaign",
    "get_rule",
    "import_campaigns",
    "is_yaml",
    "list_campaigns",
    "parse_campaigns",
    "read_campaigns",
    "read_document",
    "update_campaign_status",
    "update_rule",
    "update_rule_status",
    "write_campaigns",
]
