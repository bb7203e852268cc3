"""What lint finds in campaigns when it looks at loaded payments, too."""

from recovery_batch.api.linting.looking import lint_data

__all__ = ["lint_data"]
