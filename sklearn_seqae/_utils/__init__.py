"""What any room may use: optional packages, atomic files, BLAS threads, safe text, links.

Nothing here knows sequences, networks or estimators, and no module imports another room. Optional
packages and Keras are loaded here, at first need, so that importing the package stays fast.
"""
