"""
A server: when did something go wrong, and in which metric?
===========================================================

Four metrics of a server, a value every ten minutes. Days are alike. What is abnormal is often no extreme value: the
requests of noon at midnight, or a load that no requests explain. When did it happen, and which metric shows it?

1. Generate four weeks of metrics, with four incidents in the last one.
2. Fit on the first three weeks.
3. List the abnormal intervals.
4. Compare with limits for single values.
"""

# %%
# 1. The metrics
# --------------
# Requests follow the hours of the day, and the load follows requests. The incidents are a process that loads the server
# in the early morning, many requests at night, a memory leak, and an hour in which requests take twice as long.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from sklearn_seqae import AnomalyDisplay, SlidingWindowDetector

rng = np.random.default_rng(0)
DAY = 144
n = 28 * DAY
time = pd.date_range("2026-11-02", periods=n, freq="10min")
hour = (np.arange(n) % DAY) / 6


def noise(size, memory=0.9):
    """Return noise in which each value is like the one before."""
    steps = rng.normal(0, size * np.sqrt(1 - memory**2), n)
    for i in range(1, n):
        steps[i] += memory * steps[i - 1]
    return steps


office = np.exp(-(((hour - 14) / 4) ** 2))
first = 21 * DAY
INCIDENTS = {  # first steps, and the last ones + 1
    "process": (first + 24, first + 54),
    "night": (first + 2 * DAY + 6, first + 2 * DAY + 24),
    "leak": (first + 4 * DAY + 60, first + 4 * DAY + 120),
    "slow": (first + 6 * DAY + 80, first + 6 * DAY + 86),
}
at = {name: slice(*steps) for name, steps in INCIDENTS.items()}
requests = 200 + 600 * office + noise(30) + rng.normal(0, 15, n)
requests[at["night"]] += 450
cpu = 8 + 0.07 * requests + noise(1.5) + rng.normal(0, 1, n)
cpu[at["process"]] += 25
memory = 40 + 0.01 * requests + noise(1)
memory[at["leak"]] += np.linspace(0, 15, 60)
latency = 80 + 0.05 * requests + noise(3) + rng.normal(0, 3, n)
latency[at["slow"]] *= 2
metrics = pd.DataFrame(
    {"requests": requests, "cpu": cpu, "memory": memory, "latency": latency},
    index=time,
)
train, test = metrics[:first], metrics[first:]

# %%
# 2. Fit
# ------
# A window is a day. Blocks of time are held out from training, and set the threshold.

detector = SlidingWindowDetector(window_size=DAY).fit(train)

# %%
# 3. Intervals
# ------------
# Each has a start and an end, the time stamp with the largest errors, and the metrics that these errors are in:

found = detector.find_anomalies(test)
print(found[["start", "end", "peak", "severity", "channels"]].to_string())

# %%
# The metrics, what was expected of them, the scores with their threshold, and the intervals, which are wider than the
# incidents: a window of a day that contains one also contains normal hours.

AnomalyDisplay.from_estimator(detector, test)

# %%
# 4. Limits for single values
# ---------------------------
# An alarm is often a limit: how far a value is from the mean of its metric, in deviations. This one is exceeded by one
# time stamp in a thousand of the training weeks.

scale = train.std()
distance = ((test - train.mean()) / scale).abs().max(axis=1)
limit = ((train - train.mean()) / scale).abs().max(axis=1).quantile(0.999)
outlier = {"limits": distance > limit, "detector": detector.predict(test) < 0}
hits = {
    name: [
        incident
        for incident, (begin, end) in INCIDENTS.items()
        if called[begin - first : end - first].any()
    ]
    for name, called in outlier.items()
}
for name, incidents in hits.items():
    print(f"{name:9} found {', '.join(incidents)}")

# %%
# The largest deviation and the score of each time stamp, with the limit and the threshold; incidents are grey. A leak
# and slow answers are extreme values. The process and the requests at night are not, but they are out of place.

scores = detector.score_samples(test)
rows = {
    "largest deviation": (distance, limit),
    "score": (scores, detector.offset_),
}
figure, panels = plt.subplots(2, 1, figsize=(10, 4), sharex=True, num="server")
for axes, (name, (values, line)) in zip(panels, rows.items(), strict=True):
    axes.plot(test.index, values, color="C0", linewidth=1)
    axes.axhline(line, color="C1", linestyle="--")
    for begin, end in INCIDENTS.values():
        axes.axvspan(time[begin], time[end], color="0.8")
    axes.set(ylabel=name)
plt.show()

# sphinx_gallery_thumbnail_number = 1

# sphinx_gallery_start_ignore
channels_of = {
    name: {
        channel
        for _, row in found.iterrows()
        if row["start"] <= time[end] and row["end"] >= time[begin]
        for channel in row["channels"]
    }
    for name, (begin, end) in INCIDENTS.items()
}
near = np.zeros(n, dtype=bool)
for begin, end in INCIDENTS.values():
    near[begin - DAY // 2 : end + DAY // 2] = True
assert len(hits["detector"]) > len(hits["limits"])
assert len(hits["limits"]) <= 2
assert len(found) <= 8
assert outlier["detector"][~near[first:]].mean() < 0.2
assert "cpu" in channels_of["process"]
assert "memory" in channels_of["leak"]
assert "latency" in channels_of["slow"]
# sphinx_gallery_end_ignore
