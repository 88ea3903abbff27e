"""From sequences in their own units to the values that a network reads, and back.

`SequenceScaler` (public) scales numbers over real steps, `MixedScaler` puts one-hot values of
categories beside them. Location and scale are taken off in float64; what leaves is float32.
"""
