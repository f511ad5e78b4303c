"""An exchange in memory: its accounts, orders and arithmetic."""
