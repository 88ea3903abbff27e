"""From sequences in their own units to the values that a network reads, and back.

`SequenceScaler` (public) scales numbers over real steps, `MixedScaler` puts one-hot values of
categories beside them. Location and scale are removed in float64; the results are float32.
"""
