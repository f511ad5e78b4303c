"""Pages of charts and figures that need nothing from anywhere: a backtest's, the floor's beside it, a sweep's."""
