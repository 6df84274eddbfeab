"""The error tree: it pickles, tells no secrets, and fits the builtin errors."""

from __future__ import annotations

import inspect
import pickle

import pytest

from reelproc import errors

TREE = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.ReelprocError)]


@pytest.mark.parametrize("kind", TREE)
def test_errors_pickle_with_their_attributes(kind: type[errors.ReelprocError]) -> None:
    error = kind("got 1, expected 2")
    error.transient = True
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is kind
    assert str(twin) == str(error)
    assert twin.transient


def test_a_media_error_carries_what_ffmpeg_said() -> None:
    error = errors.DecodeError("no", argv=["ffmpeg", "-i", "https://u:p@h/k?sig=1"], returncode=1, stderr_tail="boom")
    twin = pickle.loads(pickle.dumps(error))
    assert twin.argv == ("ffmpeg", "-i", "https://h/k")
    assert (twin.returncode, twin.stderr_tail) == (1, "boom")
    assert "boom" in str(twin)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.SpecError, ValueError),
        (errors.MissingDependencyError, ImportError),
        (errors.OutOfMemoryError, MemoryError),
        (errors.JobTimeoutError, TimeoutError),
        (errors.ObjectNotFoundError, FileNotFoundError),
    ],
)
def test_errors_are_also_the_builtin_ones(kind: type[Exception], builtin: type[Exception]) -> None:
    with pytest.raises(builtin):
        raise kind("as usual")


@pytest.mark.parametrize(
    "text",
    [
        "https://bucket.r2.example/key.mp4?X-Amz-Signature=SECRET&x=1",
        "GET 'https://AKIA:SECRET@host/k' failed",
        "s3://SECRET@bucket/key and https://h/?token=SECRET#SECRET",
        "https://h/it's.mp4?sig=SECRET",
        "https://user:SECRET@SECRET@h/game.mp4",
        "'https://h/it's.mp4?name='a'&sig=SECRET', got",
        "https://h/the best.mp4?X-Amz-Signature=SECRET&x=SECRET failed",
    ],
)
def test_no_secret_of_a_url_is_shown(text: str) -> None:
    error = errors.StorageError(text)
    assert "SECRET" not in str(error)
    assert "SECRET" not in repr(error)
    assert "SECRET" not in repr(pickle.loads(pickle.dumps(error)))


def test_a_key_is_shown_whole() -> None:
    assert str(errors.StorageError("s3://bucket/goal #1?.mp4 is gone")) == "s3://bucket/goal #1?.mp4 is gone"
    assert errors.shown_address("/films/goal #1?.mp4") == "/films/goal #1?.mp4"
    assert errors.shown_address("HTTPS://u:p@h/it's all.mp4?sig=it's#x") == "HTTPS://h/it's all.mp4"


def test_a_lost_job_may_be_tried_again_and_a_wrong_spec_not() -> None:
    assert errors.JobLostError("gone").transient
    assert not errors.SpecError("wrong").transient
