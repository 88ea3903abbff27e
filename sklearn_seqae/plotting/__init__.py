"""Displays in scikit-learn's protocol: losses, reconstructions, code maps, errors, scores.

The five `...Display` classes are public. Other modules hold what they share: axes, colours,
labels, thumbnails. matplotlib is imported when something is drawn.
"""
