"""The one file that imports boto3: a client for S3 or Cloudflare R2, and its errors in this package's words."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
import botocore.exceptions as boto_errors
import urllib3.exceptions as http_errors
from botocore.config import Config

from reelproc.errors import ObjectNotFoundError, SpecError, StorageError
from reelproc.retries import asked_pause

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

CONNECT_SECONDS, READ_SECONDS = 5, 20
CONNECTIONS = 16

_R2 = ("R2_ENDPOINT_URL", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY")
_TRANSIENT_CODES = frozenset({
    "SlowDown", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException", "TooManyRequests",
    "RequestLimitExceeded", "RequestTimeout", "RequestTimeoutException", "BadDigest", "OperationAborted",
    "IncompleteBody", "XAmzContentSHA256Mismatch",
})  # fmt: skip
_REMEDIES = {
    "ExpiredToken": "the credentials have expired; renew them",
    "ExpiredTokenException": "the credentials have expired; renew them",
    "TokenRefreshRequired": "the credentials have expired; renew them",
    "InvalidToken": "the session token is not valid; renew the credentials",
    "InvalidAccessKeyId": "the access key is not known there; check it, and the endpoint",
    "SignatureDoesNotMatch": "the secret key does not fit the access key; check both",
    "RequestTimeTooSkewed": "this machine's clock is wrong by more than storage allows; set it",
    "RequestExpired": "this machine's clock is wrong by more than storage allows; set it",
    "AccessDenied": "these credentials may not do that; check their permissions, and the bucket's name",
    "401": "the credentials are not accepted; check them",
    "403": "these credentials may not do that; check their permissions and this machine's clock",
    "400": "the request was refused; the credentials may have expired",
    "InvalidObjectState": "the object is archived; restore it first",
    "EntityTooLarge": "the file is larger than storage takes",
    "PermanentRedirect": "the bucket is in another region; set AWS_REGION",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set AWS_REGION",
    "IllegalLocationConstraintException": "the bucket is in another region; set AWS_REGION",
}
_NOT_FOUND = {"NoSuchKey": "object", "NoSuchBucket": "bucket", "404": "object", "NotFound": "object"}


def default_bucket() -> str | None:
    """Return the bucket of ``s3:///key``, by ``R2_BUCKET_NAME``."""
    return os.environ.get("R2_BUCKET_NAME") or None


def client() -> S3Client:
    """Return the process's client: Cloudflare R2 where ``R2_ENDPOINT_URL`` is set, else what the AWS chain says.

    Raises:
        SpecError: of the three R2 variables only some are set.
    """
    values = tuple(os.environ.get(name) for name in _R2)
    if values[0] and not all(values):
        missing = ", ".join(name for name, value in zip(_R2, values, strict=True) if not value)
        raise SpecError(f"R2_ENDPOINT_URL is set, and {missing} is not; set all of {', '.join(_R2)}, or none")
    # What the chain may read is part of the key: a process whose environment changes gets another client.
    chain = tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith("AWS_")))
    return _client((*values, os.environ.get("R2_SESSION_TOKEN")) if values[0] else (None,) * 4, chain)


@functools.lru_cache(maxsize=8)
def _client(r2: tuple[str | None, ...], _chain: tuple[tuple[str, str], ...]) -> S3Client:
    endpoint, key, secret, token = r2
    # retries are ours (reelproc.retries); R2 knows neither the newer checksums nor regions
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent_extra="reelproc",
    )
    session = boto3.session.Session()
    if endpoint is None:
        region = session.region_name or "us-east-1"
        return session.client("s3", region_name=region, config=config)
    return session.client(
        "s3",
        region_name="auto",
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=config,
    )


@contextmanager
def translated_errors(address: str, doing: str) -> Iterator[None]:
    """Turn what boto3 raises in the block into StorageErrors. Only codes are shown: bodies may hold key ids.

    Args:
        address: of what.
        doing: for the message, e.g. ``"read"``.
    """
    try:
        yield
    except boto_errors.ClientError as error:
        details = error.response.get("Error", {})
        answer = error.response.get("ResponseMetadata", {})
        headers = answer.get("HTTPHeaders", {})  # their names are in lower case
        asked = asked_pause(headers.get("retry-after"), headers.get("date"))
        status = int(answer.get("HTTPStatusCode", 0))
        raise _of_code(str(details.get("Code", "")), status, address, doing, asked) from None
    except (boto_errors.NoCredentialsError, boto_errors.PartialCredentialsError, boto_errors.CredentialRetrievalError):
        raise StorageError(
            f"{address} cannot be {doing}: no credentials were found; set R2_ENDPOINT_URL, R2_ACCESS_KEY_ID and "
            "R2_SECRET_ACCESS_KEY, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or an AWS profile"
        ) from None
    except boto_errors.ParamValidationError:
        raise SpecError(f"{address} is no address that S3 knows; expected s3://bucket/key") from None
    except (
        boto_errors.ConnectionError,
        boto_errors.HTTPClientError,
        boto_errors.IncompleteReadError,
        http_errors.HTTPError,  # which boto3 lets through where the body of an error breaks off
    ) as error:
        raise StorageError(
            f"{address} cannot be {doing}: the connection failed ({type(error).__name__}); check the endpoint and the "
            "network",
            transient=True,
        ) from None
    except boto_errors.BotoCoreError as error:
        raise StorageError(f"{address} cannot be {doing}: {type(error).__name__}") from None
    except ValueError as error:  # an endpoint that is no URL
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{address} cannot be {doing}: {error}; check R2_ENDPOINT_URL or AWS_ENDPOINT_URL") from None


def _of_code(code: str, status: int, address: str, doing: str, asked: float | None) -> StorageError:
    if code in _NOT_FOUND or status == 404:
        return ObjectNotFoundError(f"there is no {_NOT_FOUND.get(code, 'bucket')} for {address}; check bucket and key")
    if code in ("PreconditionFailed", "412"):
        return StorageError(f"{address} was replaced by something else while it was {doing}; try again")
    shown = f"{code or 'no code'}, status {status}"
    if code in _TRANSIENT_CODES or status >= 500 or status in (408, 429):
        return StorageError(f"{address} cannot be {doing} for now ({shown})", transient=True, retry_after_seconds=asked)
    remedy = _REMEDIES.get(code, "check bucket, key and credentials")
    return StorageError(f"{address} cannot be {doing} ({shown}): {remedy}")
