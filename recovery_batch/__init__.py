"""Backtest payment recovery campaigns on exports, explain every decision, and emit outreach batches."""

__version__ = "0.1.0"
