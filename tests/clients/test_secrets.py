"""No token is written down (design/style.md, habit 4)."""

from __future__ import annotations

import time
from pathlib import Path

import refusals
import wire
from case import Case


def test_log_has_no_token(case: Case) -> None:
    """A token in each place where one is found, and where none is looked for, is not logged."""
    log = Path(case.need("log_file"))
    before = lines(log)
    asked = [
        (f"/t/{case.token}/{case.channel}/{refusals.FILE}",),
        (f"/t/{case.unknown_token}/{case.channel}/{refusals.FILE}",),
        (f"/{case.channel}/{refusals.FILE}", f"Authorization: Bearer {case.token}"),
        (f"/{case.channel}/{refusals.FILE}", f"X-Auth: {case.token}"),
        (f"/{case.channel}/t/{case.token}/{refusals.FILE}",),
        (f"/t/{case.token}/{case.channel}/noarch/{case.token}",),
        (f"/{case.channel}/{refusals.FILE}?token={case.token}",),
        (f"/t/{case.token}/../{case.token}/{case.channel}/{refusals.FILE}",),
        (f"/{case.token}/{refusals.FILE}",),
        (f"/{case.channel}/{refusals.FILE}", f"User-Agent: {case.token}"),
        (f"/{case.channel}/{refusals.FILE}", f"Referer: {case.channel_url}"),
    ]
    for path, *headers in asked:
        answer = wire.curl(case, path, *headers)
        if answer.status >= 400:
            assert case.token.encode() not in answer.body
    deadline = time.monotonic() + 10
    while lines(log) < before + len(asked):
        assert time.monotonic() < deadline, "the log does not grow: is it this gateway's?"
        time.sleep(0.05)
    text = log.read_text()
    for secret in [*case.secrets, case.unknown_token]:
        assert secret not in text, "a token is in the log"


def lines(log: Path) -> int:
    """How many requests are in the log. It is written behind the answers, so one may be missing."""
    return log.read_bytes().count(b"\n")
