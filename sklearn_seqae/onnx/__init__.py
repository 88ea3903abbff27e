"""A fitted encoder as an ONNX graph: from raw sequences to codes.

`export.encoder_model` takes an architecture, its weights and a fitted scaler; nothing in this room
depends on estimators. The graph repeats the arithmetic of `preprocessing` and `network`.
"""
