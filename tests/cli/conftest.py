"""What tests of the command line share. Each module has a fixture `folder` with its files."""

import io

import pytest

from sklearn_seqae.__main__ import main


@pytest.fixture
def run(folder, capsys, monkeypatch):
    """Run a command in the folder of the files, and return what it wrote to each stream."""
    monkeypatch.chdir(folder)

    def run_command(*arguments, stdin=b"", code=0):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        assert main(list(arguments)) == code
        return capsys.readouterr()

    return run_command
