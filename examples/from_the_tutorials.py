"""
The tutorials' autoencoder, and its padding
===========================================

A search for "LSTM autoencoder Keras" finds lines like those below. They run, and the loss falls. What is their effect
on sequences of unequal length?

1. The tutorials' lines, on the Japanese vowels.
2. The effect of padding on scaling, mask, loss, codes and reconstructions.
3. The same with the library.
4. A comparison of the reconstructions.
"""

# %%
# 1. The tutorials' lines
# -----------------------
# Pad with zeros, scale, mask zeros, encode by an LSTM, repeat the code, decode by an LSTM; a separate model to encode,
# and another one to decode.

from sklearn_seqae.datasets import load_japanese_vowels

X, y = load_japanese_vowels(return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)

# %%

import time

from keras import Input, Model
from keras.callbacks import EarlyStopping
from keras.layers import LSTM, Dense, Masking, RepeatVector, TimeDistributed
from keras.utils import pad_sequences, set_random_seed
from sklearn.preprocessing import StandardScaler

set_random_seed(0)
n_features = X[0].shape[1]
max_length = max(len(x) for x in X)
latent_dim = 64

# Pad all sequences to the longest one.
padding = {"dtype": "float32", "padding": "post", "value": 0.0}
padded = pad_sequences(X, maxlen=max_length, **padding)

# Scale: StandardScaler takes two dimensions only.
scaler = StandardScaler()
scaled = scaler.fit_transform(padded.reshape(-1, n_features))
scaled = scaled.reshape(padded.shape)

# The encoder.
inputs = Input(shape=(max_length, n_features))
masked = Masking(mask_value=0.0)(inputs)
encoded = LSTM(latent_dim)(masked)

# The decoder.
repeat = RepeatVector(max_length)
decoder_lstm = LSTM(latent_dim, return_sequences=True)
decoder_dense = TimeDistributed(Dense(n_features))
outputs = decoder_dense(decoder_lstm(repeat(encoded)))

# Three models.
autoencoder = Model(inputs, outputs)
encoder = Model(inputs, encoded)
code_input = Input(shape=(latent_dim,))
decoder = Model(code_input, decoder_dense(decoder_lstm(repeat(code_input))))

# Train.
autoencoder.compile(optimizer="adam", loss="mse")
began = time.perf_counter()
history = autoencoder.fit(
    scaled,
    scaled,
    epochs=60,
    batch_size=16,
    validation_split=0.1,
    callbacks=[EarlyStopping(patience=20, restore_best_weights=True)],
    verbose=0,
)
seconds = time.perf_counter() - began


def encode(sequences):
    padded = pad_sequences(sequences, maxlen=max_length, **padding)
    scaled = scaler.transform(padded.reshape(-1, n_features))
    return encoder.predict(scaled.reshape(padded.shape), verbose=0)


def decode(codes):
    scaled = decoder.predict(codes, verbose=0)
    values = scaler.inverse_transform(scaled.reshape(-1, n_features))
    return values.reshape(scaled.shape)


codes, codes_test = encode(X), encode(X_test)
decoded = decode(codes_test)

# %%
# 2. The effect of padding
# ------------------------
# **Scaling.** More than a third of the values that the scaler is fitted on are padding, so the scaled real values do not
# have mean 0 and deviation 1.

import numpy as np

n_steps = np.array([len(x) for x in X])
is_real = np.arange(max_length) < n_steps[:, None]
real = scaled[is_real]
print(f"share of padding                      {1 - is_real.mean():.0%}")
largest_mean = np.abs(real.mean(axis=0)).max()
least, most = np.sort(real.std(axis=0))[[0, -1]]
print(f"real values, scaled: largest mean     {largest_mean:.2f}")
print(f"                     deviations       {least:.2f} to {most:.2f}")

# %%
# **Mask.** Scaling maps the zeros to other values. ``Masking(0.0)`` looks for steps of zeros, and there are none left.

print(f"steps of padding                      {np.sum(~is_real)}")
n_masked = np.sum(np.all(scaled == 0, axis=-1))
print(f"steps that Masking(0.0) masks         {n_masked}")

# %%
# **Loss.** If they were masked, the mask would end at ``RepeatVector``, and the loss would include them all the same.
# Padding is constant and so easy to predict, which makes the loss look better.

squared = (autoencoder.predict(scaled, verbose=0) - scaled) ** 2
loss = autoencoder.evaluate(scaled, scaled, verbose=0)
print(f"loss that Keras reports               {loss:.3f}")
print(f"mean over all, padding included       {squared.mean():.3f}")
print(f"mean over real steps                  {squared[is_real].mean():.3f}")
print(f"mean over padding                     {squared[~is_real].mean():.3f}")

# %%
# **Codes.** The code of an utterance depends on the amount of padding. Here one is padded to its own length, half way,
# and to the length of the longest one; distances are relative to the mean distance between utterances.

any_length = Input(shape=(None, n_features))
mask, lstm = autoencoder.layers[1:3]
any_encoder = Model(any_length, lstm(mask(any_length)))
i = int(np.argmin(n_steps))
lengths = [n_steps[i], (n_steps[i] + max_length) // 2, max_length]
of_one = [any_encoder.predict(scaled[[i], :n], verbose=0) for n in lengths]
distances = [np.linalg.norm(a - b) for a in codes[::9] for b in codes[1::9]]
mean = np.mean(distances)
moved = [np.linalg.norm(code - of_one[0]) / mean for code in of_one[1:]]
print(f"an utterance of {lengths[0]} steps, padded to", end=" ")
print(f"{lengths[1]}: code moved by {moved[0]:.0%}")
print("                             padded to", end=" ")
print(f"{lengths[2]}: code moved by {moved[1]:.0%}")

# %%
# **Reconstructions.** All have the length of the longest training sequence. Longer ones are truncated, at the front, as
# that is the default of ``pad_sequences``.

too_long = [x for x in X_test if len(x) > max_length]
print(f"steps of every reconstruction         {decoded.shape[1]}")
print(f"utterances that were truncated        {len(too_long)}")

# %%
# **Validation.** ``validation_split`` holds out the last rows. These data are sorted by speaker.

held_out = y[-int(0.1 * len(y)) :]
speakers = np.unique(held_out)
print(f"speakers that were held out           {speakers}, of 0 to 8")

# %%
# 3. The same with the library
# ----------------------------

from sklearn_seqae import LSTMAutoencoderTransformer

began = time.perf_counter()
ae = LSTMAutoencoderTransformer(random_state=0)
Z = ae.fit_transform(X)
X2 = ae.inverse_transform(ae.transform(X_test))
our_seconds = time.perf_counter() - began

# %%
# The R2 is that of the reconstruction over real steps. For the tutorial it uses the true lengths, as its decoder has no
# lengths.

from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline

true = np.concatenate([x[:max_length] for x in X_test])
pairs = zip(decoded, X_test, strict=True)
written = np.concatenate([w[: len(x)] for w, x in pairs])
r2 = r2_score(true, written)
classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
accuracy = classifier.fit(codes, y).score(codes_test, y_test)
our_accuracy = classifier.fit(Z, y).score(ae.transform(X_test), y_test)
misses = [len(x) - len(x2) for x, x2 in zip(X_test, X2, strict=True)]
our_lengths = np.mean(np.abs(misses) <= 1)
print("                                tutorial   library")
print(f"R2 on unseen utterances         {r2:8.3f}  {ae.score(X_test):8.3f}")
print(f"lengths within one step             none  {our_lengths:8.1%}")
print(f"speaker from code               {accuracy:8.3f}  {our_accuracy:8.3f}")
print(f"seconds to train                {seconds:8.0f}  {our_seconds:8.0f}")

# %%
# 4. The reconstructions
# ----------------------
# Two coefficients of three test utterances. The tutorial's reconstruction past the end is dashed: it continues with its
# prediction of the padding.

import matplotlib.pyplot as plt

order = np.argsort([len(x) for x in X_test], kind="stable")
chosen = order[[len(order) // 10, len(order) // 2, 9 * len(order) // 10]]
figure, panels = plt.subplots(
    2, 3, figsize=(10, 5), sharex=True, sharey=True, num="padding"
)
for (above, below), i in zip(panels.T, chosen, strict=True):
    x, w, w2 = X_test[i], decoded[i], X2[i]
    for channel, colour in enumerate(["C0", "C1"]):
        for axes in (above, below):
            axes.plot(x[:, channel], color=colour, alpha=0.3, linewidth=5)
        above.plot(w[: len(x), channel], "o-", color=colour, markersize=3)
        after = np.arange(len(x) - 1, max_length)
        style = {"color": colour, "markersize": 3, "alpha": 0.7}
        above.plot(after, w[after, channel], "o--", **style)
        below.plot(w2[:, channel], "o-", color=colour, markersize=3)
    above.axvspan(len(x) - 0.5, max_length, color="0.93", zorder=0)
    above.set_title(f"{len(x)} steps, tutorial: {max_length}", size="medium")
    below.set_title(f"{len(x)} steps, library: {len(w2)}", size="medium")
    below.set_xlabel("step (frame)")
panels[0, 0].set_ylabel("tutorial")
panels[1, 0].set_ylabel("library")
plt.show()

# sphinx_gallery_start_ignore
assert not np.any(np.all(scaled == 0, axis=-1))
assert squared[~is_real].mean() < squared[is_real].mean()
assert moved[1] > 0.1
assert ae.score(X_test) > r2
assert our_accuracy > accuracy
assert np.unique(held_out).tolist() == [8]
# sphinx_gallery_end_ignore
