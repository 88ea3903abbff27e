"""A folder from which an interrupted fit goes on: what it is a fit of, and its last epochs."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sklearn_seqae._utils.atomic_write import replacing
from sklearn_seqae.network.layer_specs import Weights

# Epochs that are kept: the last one, and one before in case that it is damaged.
KEPT = 2
NAME = "fit.json"
State = tuple[Weights, list[NDArray]]


@dataclass
class Progress:
    """What a fit has after an epoch.

    Parameters
    ----------
    history : dict of str to list of float
    best_epoch : int
    best : float
        The monitored value of the best epoch.
    is_done : bool
        Whether training stops after this epoch.
    state, best_state : tuple
        Weights and the optimizer's state, now and after the best epoch.
    rates : list of (float or None)
        Learning rates, as `optimizers.learning_rates` returns them.
    seeds : list of ndarray
        States of generators in a user's own layers.
    """

    history: dict[str, list[float]]
    best_epoch: int
    best: float
    is_done: bool
    state: State
    best_state: State
    rates: list[float | None] = field(default_factory=list)
    seeds: list[NDArray] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """Return a checksum, and all as NumPy's archive of arrays."""
        plain = {name: getattr(self, name) for name in ("history", "best_epoch", "best", "rates")}
        arrays = {"plain": np.array(json.dumps(plain | {"is_done": self.is_done}))}
        arrays |= {f"seeds/{i}": seed for i, seed in enumerate(self.seeds)}
        for which, (weights, optimizer) in (("state", self.state), ("best", self.best_state)):
            arrays |= {f"{which}/weights/{name}": array for name, array in weights.items()}
            arrays |= {f"{which}/optimizer/{i}": array for i, array in enumerate(optimizer)}
        file = BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        content = file.getvalue()
        return hashlib.sha256(content).digest() + content

    @classmethod
    def from_bytes(cls, content: bytes) -> Self | None:
        """Return what `to_bytes` wrote; None if it is damaged."""
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            return None
        with np.load(BytesIO(content[32:]), allow_pickle=False) as archive:
            arrays = dict(archive)

        def gather(prefix: str) -> dict[str, NDArray]:
            names = [name for name in arrays if name.startswith(prefix)]
            return {name.removeprefix(prefix): arrays[name] for name in names}

        states = [
            (gather(f"{which}/weights/"), list(gather(f"{which}/optimizer/").values()))
            for which in ("state", "best")
        ]
        seeds = list(gather("seeds/").values())
        plain = json.loads(str(arrays["plain"]))
        return cls(**plain, state=states[0], best_state=states[1], seeds=seeds)


class Checkpoint:
    """The folder of one fit.

    Parameters
    ----------
    folder : str or PathLike
        It is made if needed.
    parameters : dict of str to str
        What the fit is determined by, beside its data, as `described` returns it.
    digest : str
        Of the data.
    seed : int
        For a new fit.

    Attributes
    ----------
    seed : int
        That of the fit which is resumed, or the one given.

    Raises
    ------
    ValueError
        If the folder is that of another fit.
    """

    def __init__(self, folder: Any, parameters: dict[str, str], digest: str, seed: int) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / NAME
        self.seed = seed
        if not path.exists():
            found = {"parameters": parameters, "data": digest, "seed": seed}
            with replacing(path) as file:
                file.write(json.dumps(found, indent=1).encode())
            return
        try:
            found = json.loads(path.read_text())
            known, data, self.seed = found["parameters"], found["data"], int(found["seed"])
            changed = [name for name in parameters if known.get(name) != parameters[name]]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"Expected a folder of checkpoints in {str(folder)!r}, but {NAME} in it is damaged "
                f"({error!r}): remove the folder, or give another one."
            ) from error
        if changed:
            name = changed[0]
            raise ValueError(
                f"Expected the fit that {str(folder)!r} has checkpoints of, with {name}="
                f"{known.get(name)}, got {name}={parameters[name]}: set it back, or give another "
                "folder as checkpoint."
            )
        if data != digest:
            raise ValueError(
                f"Expected the data that {str(folder)!r} has checkpoints of, got others: fit to "
                "the same X and groups, or give another folder as checkpoint."
            )

    def load(self) -> Progress | None:
        """Return the last epoch that is not damaged; None if there is none."""
        for path in reversed(self.paths()):
            progress = Progress.from_bytes(path.read_bytes())
            if progress is not None:
                return progress
        return None

    def save(self, progress: Progress) -> None:
        """Write an epoch, and remove those that are no longer needed."""
        n_epochs = len(progress.history["loss"])
        with replacing(self.folder / f"epoch-{n_epochs:06}.npz") as file:
            file.write(progress.to_bytes())
        for path in self.paths()[:-KEPT]:
            path.unlink(missing_ok=True)  # another process may share the fit

    def paths(self) -> list[Path]:
        """Return the files of epochs, the last one last."""
        return sorted(self.folder.glob("epoch-*.npz"))


def described(value: Any) -> str:
    """Return a parameter as text that is the same in each process."""
    name = getattr(value, "__qualname__", type(value).__qualname__)
    if hasattr(value, "get_config") and not isinstance(value, type):
        return f"{name}({value.get_config()})"
    if hasattr(value, "get_params") and not isinstance(value, type):
        parts = [f"{key}={described(one)}" for key, one in value.get_params(deep=False).items()]
        return f"{name}({', '.join(parts)})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({', '.join(map(described, value))})"
    if isinstance(value, str | int | float | np.generic | None):
        return repr(value)
    return f"{type(value).__module__}.{name}"


def digest_of(parts: Iterator[Any]) -> str:
    """Return a checksum of arrays and text."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        is_array = isinstance(part, np.ndarray)
        found.update(np.ascontiguousarray(part).data if is_array else repr(part).encode())
    return found.hexdigest()
