"""The estimators, and what they share: fitted models, scores, imputation, sampling.

`LSTMAutoencoderTransformer` and `LSTMAutoencoderDetector` (public) check parameters and data,
train a `FittedModel`, and delegate to it. Modules of this room compute scores and attributions
from its reconstructions.
"""
