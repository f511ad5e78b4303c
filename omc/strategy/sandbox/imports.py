"""What may be imported, name by name. Nothing that is imported is a module: each is a frozen set of these names."""

from collections.abc import Mapping

from omc.strategy.sandbox.numpy_names import NUMPY, RANDOM

_ESTIMATORS = {
    "sklearn.base": "BaseEstimator ClassifierMixin RegressorMixin TransformerMixin",
    "sklearn.decomposition": "PCA",
    "sklearn.ensemble": (
        "ExtraTreesClassifier ExtraTreesRegressor GradientBoostingClassifier GradientBoostingRegressor "
        "HistGradientBoostingClassifier HistGradientBoostingRegressor RandomForestClassifier RandomForestRegressor"
    ),
    "sklearn.linear_model": "ElasticNet Lasso LinearRegression LogisticRegression Ridge RidgeClassifier",
    "sklearn.metrics": "accuracy_score log_loss mean_absolute_error mean_squared_error r2_score roc_auc_score",
    "sklearn.model_selection": "TimeSeriesSplit",
    "sklearn.naive_bayes": "GaussianNB",
    "sklearn.neighbors": "KNeighborsClassifier KNeighborsRegressor",
    "sklearn.pipeline": "make_pipeline",
    "sklearn.preprocessing": "MinMaxScaler PolynomialFeatures RobustScaler StandardScaler",
    "sklearn.tree": "DecisionTreeClassifier DecisionTreeRegressor",
}
PANDAS = """DataFrame DatetimeIndex Index NA NaT Series Timedelta Timestamp concat cut date_range
factorize get_dummies isna isnull merge merge_asof notna notnull qcut to_datetime to_numeric to_timedelta unique"""
_TYPING = """Annotated Any Callable ClassVar Dict Final Generic Hashable Iterable Iterator List Literal
Mapping Optional Protocol Self Sequence Set Tuple Type TypeAlias TypeVar Union cast TYPE_CHECKING"""
_COLLECTIONS = "Counter OrderedDict defaultdict deque namedtuple"
_ABSTRACT = """Callable Collection Container Hashable Iterable Iterator Mapping MutableMapping MutableSequence Sequence
Set Sized"""
_MATH = """acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf
erfc exp exp2 expm1 fabs factorial floor fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt
lcm ldexp lgamma log log10 log1p log2 modf nan nextafter perm pi pow prod radians remainder sin sinh sqrt tan tanh
tau trunc ulp"""
_STATISTICS = """correlation covariance fmean geometric_mean harmonic_mean linear_regression mean median
median_high median_low mode pstdev pvariance quantiles stdev variance"""
_ITERTOOLS = """accumulate chain combinations compress count cycle dropwhile filterfalse groupby islice
pairwise permutations product repeat starmap takewhile zip_longest"""
_OPERATOR = "add eq ge gt itemgetter le lt ne neg sub truediv"
_RANDOM = """Random betavariate choice choices expovariate gammavariate gauss lognormvariate normalvariate
randint random randrange sample seed shuffle triangular uniform"""
_PLATFORM = {
    "omc.errors": "InvalidInput",
    "omc.feature": "doubling",
    "omc.feature.doubling": "average correlation deviation highest lowest",
    "omc.feature.frame": "FloatArray Frame TimeArray bar_s read_only",
    "omc.feature.indicator": "EMA_SPANS Indicators RSI_WINDOWS ema rolling_mean rolling_std",
    "omc.feature.label": "gain label_rows",
    "omc.feature.predictors": "LEAST_LOOKBACK predictors",
    "omc.feature.schedule": "BARS_A_YEAR BAR_US microseconds period_starts",
    "omc.strategy.builtin": "Builtin",
    "omc.strategy.exit_parameters": "NO_STOP NO_TARGET stop target trail",
    "omc.strategy.model": "Fitted Scorer",
    "omc.strategy.parameter": "Parameter real whole",
    "omc.strategy.signal": "ENTER LEAVE SignalArray held quoted signals",
    "omc.trading.exits": "Exits",
}
MODULES: Mapping[str, frozenset[str]] = {
    module: frozenset(names.split())
    for module, names in {
        "__future__": "annotations",
        "abc": "ABC abstractmethod",
        "bisect": "bisect bisect_left bisect_right insort insort_left insort_right",
        "collections": _COLLECTIONS + " abc",
        "collections.abc": _ABSTRACT,
        "dataclasses": "KW_ONLY asdict dataclass field fields replace",
        "datetime": "UTC date datetime time timedelta timezone",
        "functools": "cache cached_property cmp_to_key lru_cache partial reduce",
        "heapq": "heapify heappop heappush heappushpop heapreplace nlargest nsmallest",
        "itertools": _ITERTOOLS,
        "math": _MATH,
        "numba": "jit njit prange",
        "numpy": NUMPY,
        "numpy.lib.stride_tricks": "sliding_window_view",
        "numpy.random": RANDOM,
        "numpy.typing": "ArrayLike DTypeLike NDArray",
        "operator": _OPERATOR,
        "pandas": PANDAS,
        "random": _RANDOM,
        "sklearn": " ".join(name.split(".")[1] for name in _ESTIMATORS),
        "statistics": _STATISTICS,
        "typing": _TYPING,
        "xgboost": "Booster DMatrix QuantileDMatrix XGBClassifier XGBRegressor train",
        **_ESTIMATORS,
        **_PLATFORM,
    }.items()
}
"""The names of each."""
_FILES, _SYSTEM = "an algorithm reads and writes no files", "an algorithm has nothing to do with the machine it runs on"
_WHY = {
    **dict.fromkeys(("os", "sys", "subprocess", "ctypes", "platform", "resource", "signal", "gc", "inspect"), _SYSTEM),
    **dict.fromkeys(("io", "pathlib", "shutil", "tempfile", "glob", "pickle", "joblib", "sqlite3", "csv"), _FILES),
    **dict.fromkeys(("socket", "requests", "urllib", "httpx", "http", "ssl", "asyncio"), "there is no network here"),
    **dict.fromkeys(("threading", "multiprocessing", "concurrent"), "an algorithm runs in one thread"),
    "time": "an algorithm takes the time from the frame",
    "re": "patterns can take forever on a short text",
    "logging": "use print",
    "importlib": "only an import statement imports",
    "builtins": "Python's own names are there without an import",
}


def refused(module: str, name: str | None = None) -> str | None:
    """Why it cannot be imported; None when it can."""
    if module not in MODULES:
        why = _WHY.get(module.split(".")[0])
        return f"{module} cannot be imported" + (f": {why}" if why else "; the documentation lists what can be")
    if name is not None and name not in MODULES[module]:
        return f"{name} of {module} is not among what algorithms may use"
    return None
