"""What a stored model of scikit-learn may consist of: the one list of types that are made from stored bytes.

It holds what the estimators of `imports.py` are made of once they are fitted, and nothing that calls, names, imports or
opens something. A test fits each of them, and fails on a type that is missing here.
"""

_ESTIMATORS = """
sklearn.decomposition._pca.PCA
sklearn.dummy.DummyClassifier
sklearn.dummy.DummyRegressor
sklearn.ensemble._forest.ExtraTreesClassifier
sklearn.ensemble._forest.ExtraTreesRegressor
sklearn.ensemble._forest.RandomForestClassifier
sklearn.ensemble._forest.RandomForestRegressor
sklearn.ensemble._gb.GradientBoostingClassifier
sklearn.ensemble._gb.GradientBoostingRegressor
sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier
sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor
sklearn.linear_model._base.LinearRegression
sklearn.linear_model._coordinate_descent.ElasticNet
sklearn.linear_model._coordinate_descent.Lasso
sklearn.linear_model._logistic.LogisticRegression
sklearn.linear_model._ridge.Ridge
sklearn.linear_model._ridge.RidgeClassifier
sklearn.naive_bayes.GaussianNB
sklearn.neighbors._classification.KNeighborsClassifier
sklearn.neighbors._regression.KNeighborsRegressor
sklearn.preprocessing._data.MinMaxScaler
sklearn.preprocessing._data.RobustScaler
sklearn.preprocessing._data.StandardScaler
sklearn.preprocessing._label.LabelBinarizer
sklearn.preprocessing._label.LabelEncoder
sklearn.preprocessing._polynomial.PolynomialFeatures
sklearn.tree._classes.DecisionTreeClassifier
sklearn.tree._classes.DecisionTreeRegressor
sklearn.tree._classes.ExtraTreeClassifier
sklearn.tree._classes.ExtraTreeRegressor
"""
_INSIDE = """
sklearn._loss.link.HalfLogitLink
sklearn._loss.link.IdentityLink
sklearn._loss.link.Interval
sklearn._loss.link.LogLink
sklearn._loss.link.LogitLink
sklearn._loss.link.MultinomialLogit
sklearn._loss.loss.AbsoluteError
sklearn._loss.loss.ExponentialLoss
sklearn._loss.loss.HalfBinomialLoss
sklearn._loss.loss.HalfGammaLoss
sklearn._loss.loss.HalfMultinomialLoss
sklearn._loss.loss.HalfPoissonLoss
sklearn._loss.loss.HalfSquaredError
sklearn._loss.loss.HuberLoss
sklearn._loss.loss.PinballLoss
sklearn.ensemble._hist_gradient_boosting.binning._BinMapper
sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor
sklearn.metrics._dist_metrics.ChebyshevDistance64
sklearn.metrics._dist_metrics.EuclideanDistance64
sklearn.metrics._dist_metrics.ManhattanDistance64
sklearn.metrics._dist_metrics.MinkowskiDistance64
sklearn.neighbors._ball_tree.BallTree
sklearn.neighbors._kd_tree.KDTree
"""
_LOSSES = """
sklearn._loss._loss.CyAbsoluteError
sklearn._loss._loss.CyExponentialLoss
sklearn._loss._loss.CyHalfBinomialLoss
sklearn._loss._loss.CyHalfGammaLoss
sklearn._loss._loss.CyHalfMultinomialLoss
sklearn._loss._loss.CyHalfPoissonLoss
sklearn._loss._loss.CyHalfSquaredError
sklearn._loss._loss.CyHuberLoss
sklearn._loss._loss.CyPinballLoss
"""
_SCALARS = "bool bool_ float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 str_"
BY_LOADER: dict[str, frozenset[str]] = {
    "DictNode": frozenset({"builtins.dict"}),
    "JsonNode": frozenset(f"builtins.{name}" for name in ("bool", "float", "int", "str", "NoneType")),
    "ListNode": frozenset({"builtins.list"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "TypeNode": frozenset({"builtins.str", "builtins.int"}),
    "NdArrayNode": frozenset({"numpy.ndarray", *(f"numpy.{name}" for name in _SCALARS.split())}),
    "DTypeNode": frozenset({"numpy.dtype"}),
    "RandomStateNode": frozenset({"numpy.random.mtrand.RandomState"}),
    "RandomGeneratorNode": frozenset({"numpy.random._generator.Generator"}),
    "ObjectNode": frozenset((_ESTIMATORS + _INSIDE).split()),
    "LossNode": frozenset(_LOSSES.split()),
    "TreeNode": frozenset({"sklearn.tree._tree.Tree"}),
}
"""By the word that skops has for how a value is made. What is made in another way is not made."""
ESTIMATORS = frozenset(_ESTIMATORS.split())
TRUSTED = sorted(name for names in BY_LOADER.values() for name in names)
"""As skops wants to be told."""
