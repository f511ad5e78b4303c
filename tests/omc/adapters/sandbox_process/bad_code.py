"""Code that is none, that never answers, that fails, or that takes its process along: each with what is said of it.

That of the first kind is whole; of the others it is what stands in `predict`.
"""

HEAD = "class It:\n    memory_bars = 1\n    def predict(self, frame): return frame.last * 0.0\n"
HOSTILE = "class Evil(Exception):\n    def __str__(self):\n        {}\n"

UNREADABLE = {
    "nothing": ("", "no algorithm"),
    "a syntax error": ("def f(:\n", "line 1, column 7: not Python"),
    "half of an indentation": ("class A:\n  x = 1\n y = 2\n", "line 3"),
    "no text": ("x = '\ud800'", "surrogate"),
    "a NUL": ("x = 1\n\0", "line 2, column 1: there is a NUL"),
    "an encoding that is none": ("# coding: nonsense\nx = (\n", "not Python"),
    "a megabyte": (HEAD + "#" + "a" * 1_000_000, "1,000,.* bytes; at most 200,000"),
    "a hundred thousand brackets": ("x = " + "(" * 100_000 + ")" * 100_000, "line 1"),
    "brackets up to the size": ("x = " + "(" * 99_000 + ")" * 99_000, "line 1"),
    "lists in lists": ("x = " + "[" * 99_000 + "]" * 99_000, "line 1"),
    "dicts in dicts": ("x = " + "{1:" * 40_000 + "1" + "}" * 40_000, "line 1"),
    "calls of calls": ("x = " + "f(" * 60_000 + ")" * 60_000, "line 1"),
    "ninety thousand signs": ("x = " + "-" * 190_000 + "1", "nested too deeply"),
    "as many nots": ("x = " + "not " * 45_000 + "1", "nested too deeply"),
    "as many sums": ("x = " + "1+" * 95_000 + "1", "nested too deeply"),
    "as many powers": ("x = " + "1**" * 60_000 + "1", "nested too deeply"),
    "as many dots": ("x = a" + ".b" * 95_000, "nested too deeply"),
    "as many awaits": ("async def f():\n x = " + "await " * 30_000 + "1", "line"),
    "as many lambdas": ("x = " + "lambda: " * 24_000 + "1", "nested too deeply"),
    "as many conditions": ("x = " + "1 if 1 else " * 16_000 + "1", "nested too deeply"),
    "as many targets": ("a = " * 45_000 + "1", "too long"),
    "as many elifs": ("if 1:\n pass\n" + "elif 1:\n pass\n" * 10_000, "nested too deeply"),
    "as many decorators": ("@f\n" * 60_000 + "def g(): pass", "too long"),
    "a thousand blocks": ("".join(" " * at + "if 1:\n" for at in range(600)), "line"),
    "texts in texts": ("x = f'" + "{f'" * 100, "line 1"),
    "a pattern of patterns": ("match x:\n case " + "[" * 50_000 + "]" * 50_000 + ": pass", "line"),
    "a number of many digits": ("x = " + "9" * 190_000, "line 1"),
    "a number of many bits": ("x = 0x" + "f" * 190_000, "bits is too long"),
    "five thousand refusals": ("import os\n" * 5_000, "line 1, column 1: os cannot be imported"),
    "no predict": ("class A:\n    memory_bars = 1\n", "no algorithm"),
    "no memory": ("class A:\n    def predict(self, frame): return 1\n", "A lacks memory_bars"),
    "two algorithms": (HEAD + HEAD.replace("It", "That"), "several algorithms, It, That"),
    "a metaclass": ("class A(metaclass=type): pass", "metaclass"),
    "an end of the process": ("import os\nos._exit(0)", "os cannot be imported"),
    "an exit": ("raise SystemExit", "SystemExit is not available"),
    "an exit by its name": ("exit()", "exit is not available"),
    "an interrupt": ("raise KeyboardInterrupt()", "KeyboardInterrupt is not available"),
    "an exception of all": ("class A(BaseException): pass", "BaseException is not available"),
    "a fork bomb": ("import os\nwhile True: os.fork()", "os cannot be imported"),
    "a thread": ("import threading\nthreading.Thread(target=print).start()", "one thread"),
    "sleep": ("import time\ntime.sleep(1000)", "takes the time from the frame"),
    "a pattern of text": ("import re\nre.match('(a+)+$', 'a' * 40 + 'b')", "patterns can take forever"),
    "a farewell": ("class A:\n    def __del__(self):\n        while True: pass", "__del__"),
    "an error at once": (HEAD + "x = 1 / 0", "line 4: ZeroDivisionError"),
    "an error without words": (HEAD + HOSTILE.format("raise Evil") + "raise Evil", "line 7: Evil"),
    "endless recursion at once": (HEAD + "def f(): return f()\nf()", "RecursionError"),
    "a refusal of its own": ("from omc.errors import InvalidInput\nraise InvalidInput('no ' * 10_000)", "no no no"),
    "a default that is no value": (
        "class A:\n    memory_bars = 1\n    def __init__(self, a=[]): pass\n    def predict(self, frame): pass",
        "default of a",
    ),
    "a number of the code's own": (
        HEAD.replace("memory_bars = 1", "fewest_coins = 'x'; memory_bars = 1"),
        "fewest_coins",
    ),
}
ENDLESS = {
    "a loop": "while True: pass",
    "a loop that catches": "while True:\n    try:\n        1 / 0\n    except Exception:\n        continue",
    "a sum in C": "sum(range(10 ** 13))",
    "a count in C": "from collections import deque\nfrom itertools import count\ndeque(count(), maxlen=0)",
    "a search in C": "x = 10 ** 12 in (i for i in iter(int, 1))",
    "a maximum in C": "max(iter(int, 1))",
    "a product in C": "from itertools import product\nany(False for _ in product(range(1000), repeat=9))",
    "any of nothing": "from itertools import repeat\nany(repeat(0))",
    "a matrix in C": "a = np.ones((1500, 1500))\nfor _ in range(10 ** 9): a = a @ a * 0.0",
    "a sort in C": "a = np.random.default_rng(1).random(4_000_000)\nwhile True: np.sort(a)",
    "a fit in C": (
        "from sklearn.linear_model import Lasso\nx = np.random.default_rng(1).random((4000, 200))\n"
        "while True: Lasso(alpha=0.0, max_iter=10 ** 8, tol=0.0).fit(x, x[:, 0])"
    ),
    "rounds of a booster": (
        "import xgboost\nx = np.random.default_rng(1).random((2000, 20))\n"
        "xgboost.train({}, xgboost.DMatrix(x, x[:, 0]), num_boost_round=10 ** 9)"
    ),
    "a table that grows": "t = pd.DataFrame({'a': range(10)})\nwhile True: t = pd.concat([t, t]).head(1000)",
    "a flood of words": "while True: print('a' * 1000)",
    "a generator": "def g():\n    while True: yield 1\nfor _ in g(): pass",
    "a message without an end": (
        "class Evil(Exception):\n    def __str__(self):\n        while True: pass\nraise Evil()"
    ),
    "a comparison of its own": "sorted(range(10 ** 6), key=lambda i: len([j for j in range(10 ** 6)]))",
}
FAILING = {
    "a whole number without an end": ("x = 10 ** 10 ** 8", "digits is too long"),
    "a shift": ("x = 1 << 10 ** 10", "digits is too long"),
    "squares of squares": ("x = 3\nwhile True: x = x * x", "digits is too long"),
    "a rounding": ("x = round(1, -10 ** 10)", "digits is too long"),
    "a factorial": ("import math\nmath.factorial(10 ** 7)", "whole numbers up to"),
    "digits of a long number": ("x = str(10 ** 9_000)", "limit"),
    "a list": ("x = [0] * 10 ** 12", "too many"),
    "a list that grows": ("x = [0] * 1000\nwhile True: x = x + x", "MemoryError"),
    "a list of everything": ("x = list(range(10 ** 12))", "MemoryError"),
    "a text that grows": ("x = 'a'\nwhile True: x = x + x", "MemoryError"),
    "bytes that grow": ("x = b'a'\nwhile True: x = x + x", "MemoryError"),
    "a dict that grows": ("x = {}\nfor i in range(10 ** 10): x[i] = (i, i)", "MemoryError"),
    "a text of parts": ("x = 'a' * 1000\nwhile True: x = x.replace('a', 'aa' * 10)", "MemoryError"),
    "an array": ("x = np.zeros(10 ** 12)", "more than"),
    "an array by a shape of arrays": ("x = np.zeros(np.array([10 ** 6, 10 ** 6]))", "MemoryError"),
    "arrays": ("x = []\nwhile True: x.append(np.ones(10 ** 6))", "MemoryError"),
    "an outer product": ("x = np.ones((10 ** 6, 1)) * np.ones(10 ** 6)", "MemoryError"),
    "a table": ("x = pd.concat([pd.Series(np.ones(10 ** 6))] * 1000)", "MemoryError"),
    "a crossing of tables": (
        "t = pd.DataFrame({'k': np.zeros(10 ** 5)})\nx = t.merge(t, on='k')",
        "MemoryError|[Oo]verflow",
    ),
    "dummies": ("x = pd.get_dummies(pd.Series(range(10 ** 5)))", "MemoryError"),
    "recursion": ("def f(n): return f(n + 1)\nf(0)", "RecursionError"),
    "recursion through a table": ("f = lambda v: pd.Series([1]).map(f)\nf(1)", "RecursionError"),
    "a repr of its own": ("x = []\nfor _ in range(10 ** 5): x = [x]\nrepr(x)", "RecursionError"),
    "a comparison too deep": ("a, b = [], []\nfor _ in range(10 ** 5): a, b = [a], [b]\na == b", "RecursionError"),
    "a hash too deep": ("x = ()\nfor _ in range(10 ** 5): x = (x,)\nhash(x)", "RecursionError"),
    "a name that is not there": ("return nowhere.last", "nothing here is called nowhere"),
    "an error": ("raise ValueError('mine')", r"ValueError: mine \(line 4 in predict\)"),
    "an error without an end": ("raise ValueError('mine ' * 10 ** 6)", "ValueError: mine mine"),
    "an error with a message that raises": (
        "class Evil(Exception):\n    def __str__(self): raise ValueError('no')\nraise Evil()",
        "Evil: .*could not be told",
    ),
    "an error with a message that recurses": (
        "class Evil(Exception):\n    def __str__(self): return str(self)\nraise Evil()",
        "Evil: .*could not be told",
    ),
    "an error with a message that is none": (
        "class Evil(Exception):\n    def __str__(self): return 1\nraise Evil()",
        "Evil: .*could not be told",
    ),
    "an error with half a letter": ("raise ValueError('\\ud800')", "."),
    "an error out of errors": (
        "def f(n):\n    try:\n        1 / 0\n    except Exception:\n        if n: f(n - 1)\n        raise\nf(300)",
        "ZeroDivisionError",
    ),
    "an error in an exit": ("try:\n    raise ValueError('a')\nfinally:\n    raise KeyError('b')", "KeyError"),
    "an end of a loop": ("raise StopIteration", "StopIteration"),
    "nothing": ("pass", "not a NoneType"),
    "itself": ("return self", "not a It"),
    "a generator": ("yield frame.last", "not a generator"),
    "a list of weights": ("return [[0.0, 0.0]] * len(frame)", "not a list"),
    "a row too few": ("return frame.last[1:] * 0.0", "one row a bar"),
    "a column too few": ("return frame.last[:, 0] * 0.0", "one row a bar"),
    "a dimension too many": ("return frame.last[None] * 0.0", "one row a bar"),
    "texts": ("return frame.last.astype(str)", "."),
    "complex numbers": ("return frame.last * 1j", "numbers"),
    "no numbers": ("return frame.last * np.nan", "NaN|finite|not a number|weights"),
    "without an end": ("return frame.last * np.inf", "finite|weights"),
    "less than nothing": ("return frame.last * 0.0 - 0.1", "outside 0 to 1"),
    "more than everything": ("return frame.last * 0.0 + 0.9", "."),
    "prices that are written to": ("frame.last[:] = 1.0", "read-only"),
    "prices that are sorted": ("frame.last.sort()", "read-only"),
    "a caught refusal": ("try:\n    np.save('a', frame.last)\nexcept Exception: pass\nreturn 1", "not a int"),
}
CRASHING = {
    "iterators of iterators": (
        "from itertools import chain\nx = iter([])\nfor _ in range(10 ** 6): x = chain(x, [1])\nnext(x)"
    ),
}
