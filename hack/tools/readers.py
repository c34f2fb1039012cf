"""Stock S3 clients (boto3, AWS CLI, DuckDB, pandas, pyarrow, polars, s3fs) in a venv of their own, from hash-pinned requirements."""

from pathlib import Path

from hack.tools.children import Say, say_aloud
from hack.tools.venvs import get_venv


def get_readers(*, say: Say = say_aloud) -> Path:
    """The venv's bin folder; it is made first where there is none yet. Raises ToolError."""
    return get_venv("readers", say=say)
