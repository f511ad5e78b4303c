"""The names of pandas that algorithms may use: what computes on tables in memory, and nothing else."""

BY_NAME = frozenset(
    [
        "all",
        "any",
        "bfill",
        "count",
        "cummax",
        "cummin",
        "cumprod",
        "cumsum",
        "diff",
        "ffill",
        "first",
        "kurt",
        "last",
        "max",
        "mean",
        "median",
        "min",
        "nunique",
        "ohlc",
        "pct_change",
        "prod",
        "rank",
        "sem",
        "shift",
        "size",
        "skew",
        "std",
        "sum",
        "var",
        "abs",
        "sqrt",
        "exp",
        "log",
    ]
)
"""Functions that may be named by text."""
BOTH = """T abs add add_prefix add_suffix align all any asfreq asof at at_time between_time bfill clip
combine_first copy corr count cov cummax cummin cumprod cumsum describe diff div divide dot drop drop_duplicates
droplevel dropna dtypes duplicated empty eq equals expanding ffill fillna first_valid_index floordiv ge get gt
head iat idxmax idxmin iloc index infer_objects isin isna isnull items keys kurt kurtosis last_valid_index le loc
lt mask max mean median min mod mode mul multiply ndim ne nlargest notna notnull nsmallest nunique pct_change pop
pow prod product quantile radd rank rdiv reindex reindex_like rename rename_axis reset_index rfloordiv rmod rmul
round rpow rsub rtruediv sem set_axis shape shift size skew sort_index sort_values squeeze std sub subtract sum
tail take to_numpy transpose truediv truncate tz_convert tz_localize unstack value_counts values var where xs
add_prefix to_period to_timestamp"""
FRAME = f"""{BOTH} assign axes columns corrwith insert iterrows itertuples join melt merge pivot select_dtypes set_index
stack"""
SERIES = f"""{BOTH} argmax argmin argsort autocorr between dt dtype factorize hasnans
is_monotonic_decreasing is_monotonic_increasing is_unique item name nbytes repeat searchsorted to_frame to_list
tolist unique"""
INDEX = """T all any append argmax argmin argsort asof copy delete difference drop drop_duplicates dropna
dtype duplicated empty equals factorize fillna get_indexer get_level_values get_loc has_duplicates hasnans
identical insert intersection is_monotonic_decreasing is_monotonic_increasing is_unique isin isna isnull item max
min name names ndim nlevels notna notnull nunique rename repeat round searchsorted set_names shape shift size
slice_indexer slice_locs sort_values symmetric_difference take to_frame to_list to_numpy to_series tolist
transpose union unique value_counts values where"""
OF_TIMES = """ceil day day_name day_of_week day_of_year dayofweek dayofyear days_in_month daysinmonth floor
hour is_leap_year is_month_end is_month_start is_quarter_end is_quarter_start is_year_end is_year_start
microsecond minute month month_name nanosecond normalize quarter round second tz tz_convert tz_localize unit
weekday year"""
OF_LENGTHS = "ceil components days floor mean microseconds nanoseconds round seconds std sum total_seconds unit"
OF_INDEX_TIMES = f"{OF_TIMES} asi8 date freq freqstr inferred_freq mean std time"
WINDOW = "corr count cov first kurt last max mean median min nunique quantile rank sem skew std sum var"
GROUPS = """all any bfill corr count cov cumcount cummax cummin cumprod cumsum describe diff ffill first
get_group groups head idxmax idxmin indices kurt last max mean median min ngroup ngroups nth nunique ohlc
pct_change prod quantile rank sem shift size skew std sum tail value_counts var"""
RESAMPLED = """asfreq bfill count ffill first get_group groups indices last max mean median min ngroups
nunique ohlc prod quantile sem size std sum var"""
