"""The same code runs under the other backends of Keras, with the same results."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest

from sklearn_seqae.containers.registry import as_sequences
from sklearn_seqae.training import program

CHECKS = Path(__file__).with_name("backend_checks.py")


def check(backend, path):
    """Run the checks in a process that has this backend of Keras."""
    # Threads of torch that share a product stand still while one of them waits for a core.
    environment = os.environ | {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, CHECKS, path]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """A file of what TensorFlow computes."""
    path = tmp_path_factory.mktemp("backends") / "figures.pickle"
    check("tensorflow", path)
    return path


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_computes_what_tensorflow_computes(backend, request):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed here; `make backends` installs it, and tests it")
    check(backend, request.getfixturevalue("figures"))


def test_a_backend_that_does_not_train_is_refused_with_a_hint(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    with pytest.raises(ImportError, match="set it to 'tensorflow', 'jax' or 'torch' before"):
        program.backend()


# 2026-11, torch 2.13: nested tensors of the older layout warn that their interface may change.
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_nested_tensors_and_packed_sequences_of_torch_are_read():
    torch = pytest.importorskip("torch", reason="`make backends` installs it, and tests it")
    tensors = [torch.randn(n_steps, 2) for n_steps in (3, 5, 1)]
    for X in (
        torch.nested.nested_tensor(tensors, layout=torch.strided),
        torch.nested.nested_tensor(tensors, layout=torch.jagged, requires_grad=True),
        torch.nn.utils.rnn.pack_sequence(tensors, enforce_sorted=False),
    ):
        sequences = as_sequences(X)
        assert sequences.lengths.tolist() == [3, 5, 1]
        np.testing.assert_array_equal(sequences.values, torch.cat(tensors).numpy())
