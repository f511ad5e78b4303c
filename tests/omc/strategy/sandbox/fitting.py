"""Code that learns from prices, for tests of what becomes of it."""

TREND = """
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


class Trend:
    \"\"\"Holds a coin when its last moves look like those before a rise.\"\"\"

    def __init__(self, back=3, penalty=1.0):
        self.back, self.penalty = back, penalty
        self.memory_bars = back + 1

    def moves(self, frame):
        found = np.zeros((len(frame.last), len(frame.coins), self.back))
        for n in range(self.back):
            found[n + 1 :, :, n] = np.log(frame.last[1 : len(frame.last) - n] / frame.last[: len(frame.last) - n - 1])
        return found

    def fit(self, frame, labels=None):
        moves = self.moves(frame)
        rises = (frame.last[1:] > frame.last[:-1]).astype(int)
        seen = moves[self.back : -1].reshape(-1, self.back)
        self.model_ = make_pipeline(StandardScaler(), LogisticRegression(C=self.penalty))
        self.model_.fit(seen, rises[self.back :].reshape(-1))
        return self

    def predict(self, frame):
        moves = self.moves(frame)
        chance = self.model_.predict_proba(moves.reshape(-1, self.back))[:, 1].reshape(frame.last.shape)
        wanted = np.where(chance > 0.5, 1.0 / len(frame.coins), 0.0)
        wanted[: self.back] = 0.0
        return wanted
"""

LEVEL = """
class Level:
    memory_bars = 1

    def __init__(self, scale=1.0):
        self.scale = scale

    def fit(self, frame, labels=None):
        self.level_ = float(frame.last.mean()) / 1_000_000 * self.scale
        return self

    def predict(self, frame):
        return frame.last * 0.0 + self.level_
"""


def holding(made: str, imports: str = "") -> str:
    """Code whose fit keeps what the expression `made` of `frame`, `X` and `y` gives."""
    return f"""
import numpy as np
{imports}

class Holder:
    memory_bars = 1

    def fit(self, frame, labels=None):
        X = np.log(frame.last)[:-1]
        y = (frame.last[1:, 0] > frame.last[:-1, 0]).astype(int)
        self.held_ = {made}
        return self

    def predict(self, frame):
        return frame.last * 0.0
"""
