"""What a network is, and how it encodes and decodes: architecture, layers, weights, inference.

`Architecture` holds the choices and `layer_specs` the layers and weights by name; the Keras model,
the NumPy network and the ONNX graph are made from these. Modules down to `inference` import no
Keras; those behind it are imported inside functions, after `load_keras()`.
"""
