"""The table of refusals.py, row by row, and what holds for all of its rows together."""

from __future__ import annotations

import base64
import datetime
import re

import pytest

import refusals
import wire
from case import Case
from refusals import CHALLENGE, FILE, FRAMING, ROWS, Raw, Row

#: Differ from one answer to the next.
OF_ONE_ANSWER = {"date", "x-request-id", "age"}

STATUS_LINE = re.compile(rb"HTTP/1\.[01] \d{3} ")


def fill(case: Case, template: str) -> str:
    """`template` filled with the case's values and with what stands only in this table."""
    basic = {
        "{basic_password}": f"anyone:{case.token}",
        "{basic_user}": f"{case.token}:",
    }
    for placeholder, pair in basic.items():
        template = template.replace(
            placeholder, f"Basic {base64.b64encode(pair.encode()).decode()}"
        )
    template = template.replace("{escaped_channel}", refusals.escaped(case.channel))
    template = template.replace("{escaped_token}", refusals.escaped(case.token))
    return case.fill(template)


def ask(case: Case, row: Row, method: str | None = None) -> wire.Answer:
    """The answer to a row."""
    headers = [fill(case, header) for header in row.headers]
    return wire.curl(case, fill(case, row.path), *headers, method=method or row.method)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(case: Case, row: Row) -> None:
    """Status, fields and message are the contract's."""
    answer = ask(case, row)
    assert answer.status == row.status, answer
    for name, value in row.fields:
        assert answer.field(name) == value
    if row.status >= 400:
        w16(case, answer, row.says)


def w16(case: Case, answer: wire.Answer, says: tuple[str, ...]) -> None:
    """A refusal says what happened and what to do, in the form that conda prints; never a token."""
    assert answer.field("content-type") == "application/json"
    refusal = answer.json()
    assert set(refusal) == {"error", "reason", "message", "request_id"}
    assert all(isinstance(value, str) and value for value in refusal.values()), refusal
    assert refusal["message"].strip()[-1] in ".!", "not a sentence"
    for text in says:
        if text != "{contact}" or case.contact or case.complete:
            assert fill(case, text) in refusal["message"]
    shown = f"{answer.fields} {answer.body.decode()}"
    assert not [secret for secret in case.secrets if secret in shown], "a token is shown"


@pytest.mark.parametrize("row", [row for row in ROWS if row.method == "GET"], ids=str)
def test_w8_head_is_answered_like_get(case: Case, row: Row) -> None:
    """The same authorization, status and fields, and no content."""
    get, head = ask(case, row), ask(case, row, "HEAD")
    assert head.status == get.status
    own = {name: head.fields.get(name) for name in head.fields if name not in OF_ONE_ANSWER}
    assert own == {name: get.fields.get(name) for name in get.fields if name not in OF_ONE_ANSWER}


def same(case: Case, one: str, other: str, *names: str) -> None:
    """The two paths are answered with the same bytes, but for request id, date and name."""
    answers = []
    for path in (one, other):
        answer = wire.curl(case, case.fill(path))
        body = answer.body.replace(answer.json()["request_id"].encode(), b"ID")
        for name in names:
            body = body.replace(case.fill(name).encode(), b"NAME")
        # The channel's name stands in the message, and so its length in the content's.
        own = OF_ONE_ANSWER | {"content-length"}
        fields = {name: value for name, value in answer.fields.items() if name not in own}
        answers.append((answer.status, fields, body))
    assert answers[0] == answers[1]


def test_no_oracle_unknown_and_ungranted_channel(case: Case) -> None:
    """A valid token can't tell a channel that it must not see from one that isn't there."""
    same(
        case,
        f"/t/{{token}}/{{unknown_channel}}/{FILE}",
        f"/t/{{token}}/{{ungranted_channel}}/{FILE}",
        "{unknown_channel}",
        "{ungranted_channel}",
    )


def test_no_oracle_without_a_token(case: Case) -> None:
    """Neither can a caller without a token."""
    names = ("{unknown_channel}", "{ungranted_channel}")
    same(case, f"/{names[0]}/{FILE}", f"/{names[1]}/{FILE}", *names)
    same(
        case,
        f"/t/{{unknown_token}}/{names[0]}/{FILE}",
        f"/t/{{unknown_token}}/{names[1]}/{FILE}",
        *names,
    )


def test_w4_no_oracle_hidden_subchannel(case: Case) -> None:
    """What is no file of the channel might be a subchannel: answered like an unknown channel."""
    below, beside = "{channel}/prod", "{unknown_channel}/prod"
    same(case, f"/t/{{token}}/{below}/{FILE}", f"/t/{{token}}/{beside}/{FILE}", beside, below)


def test_w7_no_oracle_notices(case: Case) -> None:
    """`notices.json` of a private and of an unknown channel, asked for without a token."""
    names = ("{unknown_channel}", "{channel}")
    same(case, f"/{names[0]}/notices.json", f"/{names[1]}/notices.json", *names)


def test_storage_unreachable(case: Case) -> None:
    """The storage's fault, not the client's; 503 where a retry may help, and then it says when."""
    answer = wire.curl(case, case.fill(f"/t/{{token}}/{{unreachable_channel}}/{FILE}"))
    assert answer.status in (502, 503, 504)
    assert (answer.field("retry-after") is not None) == (answer.status == 503)
    w16(case, answer, ())


def test_options(case: Case) -> None:
    """OPTIONS is answered, without a look at the path's rights."""
    answer = wire.curl(case, f"/{case.channel}/{FILE}", method="OPTIONS")
    assert answer.status in (200, 204)
    assert answer.field("allow") == "GET, HEAD, OPTIONS"


def test_w17_expiring_token(case: Case) -> None:
    """Successful answers carry the date when the token ends within 14 days, and only then."""
    near = wire.curl(case, case.fill(f"/t/{{expiring_token}}/{{channel}}/{FILE}"))
    assert near.status == 200
    date = near.field("condagate-token-expires") or ""
    assert date.startswith(case.need("expires_on")), date
    datetime.datetime.fromisoformat(date)
    far = wire.curl(case, case.fill(f"/t/{{token}}/{{channel}}/{FILE}"))
    assert far.field("condagate-token-expires") is None


@pytest.mark.parametrize("row", FRAMING, ids=str)
def test_w5a_framing(case: Case, row: Raw) -> None:
    """One answer, and the connection is closed: what follows is never read as a request."""
    smuggled = "" if row.status == 200 else refusals.get(refusals.HOST, refusals.CLOSE)
    request = fill(case, row.request + smuggled).encode("latin-1")
    answer, closed = wire.raw(case, request)
    assert answer.startswith((b"HTTP/1.1 %d " % row.status, b"HTTP/1.0 %d " % row.status)), answer
    assert len(STATUS_LINE.findall(answer)) == 1, "a second request was read"
    assert closed, "the connection is still open"
    assert case.token.encode() not in answer


def test_challenge_is_not_for_others(case: Case) -> None:
    """`WWW-Authenticate` stands on 401 alone: clients would ask their users for a password."""
    answer = wire.curl(case, case.fill("/t/{token}/{unknown_channel}/noarch/repodata.json"))
    assert answer.status == 403
    assert answer.field(CHALLENGE[0]) is None
