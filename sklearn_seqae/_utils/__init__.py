"""Helpers for all rooms: optional packages, atomic files, BLAS threads, safe text, links.

Nothing here depends on sequences, networks or estimators, and no module imports another room. Keras
and optional packages are loaded here, at first need, so that importing the package stays fast.
"""
