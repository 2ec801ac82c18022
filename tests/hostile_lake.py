"""A day of a bucket in which whatever a sender chooses is hostile: keys, and values of records."""

from __future__ import annotations

import csv
import io
from typing import Any

import boto3
import numpy as np

from cli.demo.recordings import broken, matlab_v4, stored, strip_mv
from resources.settings import Settings
from tests.hostile_texts import HOSTILE

DAY = "2026-01-05"


def put_hostile(settings: Settings, texts: dict[str, str] = HOSTILE, day: str = DAY) -> list[str]:
    """Recordings, one broken in two, under hostile keys, and a price list of hostile values; the keys."""
    client = s3(settings)
    good, bad = matlab_v4(stored(strip_mv("clean", np.random.default_rng(1)))), broken("text")
    keys = []
    for number, text in enumerate(texts.values()):
        keys.append(f"ecg/date={day}/device=a/{number:02d} {text}.mat")
        client.put_object(Bucket=settings.raw_bucket, Key=keys[-1], Body=bad if number % 2 else good)
    keys.append(f"pricing/date={day}/prices.csv")
    client.put_object(Bucket=settings.raw_bucket, Key=keys[-1], Body=price_list(texts))
    return keys


def price_list(texts: dict[str, str]) -> bytes:
    """A row whose texts are each hostile, good and refused in turn."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(("ID", "Region", "InstanceType", "Price (USD/h)", "OS", "Network"))
    for number, text in enumerate(texts.values()):
        price = f"free {text}" if number % 4 == 0 else "0.1"
        writer.writerow((number, text, text, price, text, text))
    return file.getvalue().encode("utf-8", "surrogatepass")


def s3(settings: Settings) -> Any:
    """The store as any other client talks to it: it checks no keys."""
    secret = settings.aws_secret_access_key
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.aws_region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
    )
