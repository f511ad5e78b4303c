"""The names of numpy that algorithms may use: what computes on arrays in memory, and nothing else."""

NUMPY = """abs absolute acos acosh add all allclose amax amin angle any append apply_along_axis arange
arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort argwhere around array
array_equal array_split asarray ascontiguousarray asin asinh atan atan2 atanh atleast_1d atleast_2d atleast_3d
average bincount bitwise_and bitwise_not bitwise_or bitwise_xor bool bool_ broadcast_arrays broadcast_shapes cbrt
ceil clip column_stack complex128 concat concatenate conj convolve copy copysign corrcoef correlate cos cosh
count_nonzero cov cross cumprod cumsum cumulative_prod cumulative_sum datetime64 deg2rad degrees delete diag
diag_indices diagonal diff digitize divide divmod dot dsplit dstack dtype e ediff1d empty empty_like equal
errstate euler_gamma exp exp2 expand_dims expm1 extract eye fabs fill_diagonal finfo flatnonzero flip fliplr
flipud float16 float32 float64 float_power floor floor_divide floating fmax fmin fmod frexp fromfunction fromiter
full full_like gcd generic geomspace gradient greater greater_equal heaviside histogram histogram2d
histogram_bin_edges hsplit hstack hypot identity iinfo imag indices inf inner insert int16 int32 int64 int8
integer interp intersect1d invert isclose iscomplex isfinite isin isinf isnan isnat isneginf isposinf isreal
isscalar issubdtype ix_ kron lcm ldexp less less_equal lexsort linalg linspace log log10 log1p log2 logaddexp
logaddexp2 logical_and logical_not logical_or logical_xor logspace matmul matrix_transpose max maximum mean median
meshgrid min minimum mod modf moveaxis multiply nan nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax
nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar ndarray ndim negative newaxis
nextafter nonzero not_equal number ones ones_like outer pad partition percentile permute_dims pi piecewise place
polyfit polyval positive pow power prod ptp putmask quantile rad2deg radians random ravel real reciprocal
remainder repeat reshape rint roll rollaxis roots rot90 round searchsorted select setdiff1d setxor1d shape sign
signbit sin sinc sinh size sort split sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan
tanh tensordot tile timedelta64 trace transpose trapezoid tri tril tril_indices triu triu_indices true_divide
trunc uint16 uint32 uint64 uint8 union1d unique unravel_index vander var vdot vstack where zeros zeros_like"""
RANDOM = "Generator default_rng"
LINALG = """cholesky cond det eig eigh eigvals eigvalsh inv lstsq matrix_norm matrix_power matrix_rank
norm pinv qr slogdet solve svd vector_norm"""
SCALARS = frozenset(
    [
        "bool",
        "bool_",
        "complex128",
        "datetime64",
        "float16",
        "float32",
        "float64",
        "int16",
        "int32",
        "int64",
        "int8",
        "timedelta64",
        "uint16",
        "uint32",
        "uint64",
        "uint8",
    ]
)
"""Types of a number: given out as they are, since an array's type is named by them."""
ABSTRACT = frozenset(["floating", "generic", "integer", "ndarray", "number"])
"""Types to ask `isinstance` about, and no more."""
CONSTANTS = frozenset(["e", "euler_gamma", "inf", "nan", "newaxis", "pi"])
