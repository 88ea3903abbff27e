"""One fit: batches, losses over real values, compiled programs, early stopping, callbacks.

`loop.train` takes an architecture, its weights and scaled sequences and returns the weights that
did best. Programs are compiled once per architecture and kept in a cache of the process; each
backend of Keras has one module that runs them.
"""
