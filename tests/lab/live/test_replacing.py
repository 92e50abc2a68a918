"""Whatever an act says, the record names no account, id or URL, and holds no material; if it would, it is not written."""

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.live import record
from lab.live.questions import stand_ins
from lab.live.record import NotWritten, Replacing
from lab.live.verdicts import judged

RUN = "1a2b3c4d"
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
UUIDS = st.uuids().map(str)
NUMBERS = st.integers(10**11, 10**12 - 1).map(str)
RANDOM_PARTS = st.text("ABCDEFabcdef0123456789", min_size=6, max_size=6)
KEY_IDS = UUIDS.map(lambda one: f"mrk-{one.replace('-', '')}") | UUIDS
ARNS = st.one_of(
    st.builds("arn:aws:kms:eu-central-1:{}:key/{}".format, NUMBERS, KEY_IDS),
    st.builds("arn:aws:cloudformation:eu-central-1:{}:stack/ikm-live-1a2b3c4d-x/{}".format, NUMBERS, UUIDS),
    st.builds("arn:aws:secretsmanager:eu-central-1:{}:secret:ikm-live-1a2b3c4d-x-{}".format, NUMBERS, RANDOM_PARTS),
    st.builds("arn:aws:sts::{}:assumed-role/admin/somebody".format, NUMBERS),
)
URLS = st.builds(
    "https://bucket.s3.amazonaws.com/arn%3Aaws%3A{}%7C{}?X-Amz-Date=20270103T000000Z&X-Amz-Signature={}".format,
    NUMBERS,
    UUIDS,
    st.text("0123456789abcdef", min_size=64, max_size=64),
)
SECRET_THINGS = NUMBERS | UUIDS | ARNS | URLS | st.just("AKIA" + "ABCDEFGHIJKLMNOP") | KEY_IDS
# What names something stands between other characters than digits and letters, as it does in every sentence of AWS.
SENTENCES = st.lists(SECRET_THINGS | TEXTS.map(lambda one: re.sub(r"[\w-]", "", one)), max_size=6).map(" ".join)
VALUES = st.recursive(
    SENTENCES | st.none() | st.booleans() | st.integers(-1000, 1000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SENTENCES, inner, max_size=3),
    max_leaves=6,
)
NAMES_SOMETHING = re.compile(
    r"(?<!\d)(?!111122223333)\d{12}(?!\d)"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|https?://|X-Amz-|AKIA[A-Z0-9]|mrk-[0-9a-f]{32}|1a2b3c4d",
    re.IGNORECASE,
)


@given(VALUES)
def test_nothing_that_names_an_account_or_a_thing_in_it_is_left(value):
    replaced = Replacing(RUN)(value)

    text = json.dumps(replaced)
    assert NAMES_SOMETHING.search(text) is None
    record.require_clean(text, [])


@given(VALUES)
def test_what_is_replaced_stays_as_it_is_when_it_is_replaced_again(value):
    once = Replacing(RUN)(value)

    assert Replacing(RUN)(once) == once


@given(UUIDS, UUIDS)
def test_the_same_id_is_replaced_by_the_same_and_another_by_another(first, second):
    replaced = Replacing(RUN)({"a": first, "b": f"key/{second}", "c": first.upper()})

    assert replaced["a"] == replaced["c"] == "id-1"
    assert replaced["b"] == ("key/id-1" if first == second else "key/id-2")


@given(st.binary(min_size=16, max_size=64), st.sampled_from(["raw", "hex", "HEX", "base64", "url"]), TEXTS)
def test_a_record_that_has_material_in_any_form_is_not_written(material, form, around):
    shown = {
        "raw": material.decode("latin-1"),
        "hex": material.hex(),
        "HEX": material.hex().upper(),
        "base64": base64.b64encode(material).decode(),
        "url": base64.urlsafe_b64encode(material).decode(),
    }[form]
    if form == "raw" and not shown.isascii():
        return  # bytes that are no text come as another form
    text = json.dumps({"seen": f"{around} {shown} {around}"}, ensure_ascii=False)
    if form == "raw" and json.dumps(shown)[1:-1] != shown:
        return  # JSON would write it with escapes

    with pytest.raises(NotWritten, match="key material"):
        record.require_clean(text, [material])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("https://x?X-Amz-Signature=00", "X-Amz-Signature"),
        ("X-Amz-Security-Token", "X-Amz-Security-Token"),
        ("account 123456789012", "an account's number"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "an access key's id"),
    ],
)
def test_what_must_not_leave_the_account_is_not_written_whoever_forgot_to_replace_it(text, what, tmp_path):
    made = {"label": "aws", "region": "eu-central-1", "date": "2027-01-03", "findings": [{"seen": text}]}

    with pytest.raises(NotWritten) as refused:
        record.write(made, tmp_path, [])

    assert what in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@given(SENTENCES, VALUES)
def test_everything_that_an_act_finds_is_replaced(seen, fact):
    with stand_ins.stand_ins() as asked:
        account = asked.made.account
    made = record.make(account, RUN, [judged("x", f"expected {seen}", seen, holds=True, fact=fact)], {"q": fact})

    assert NAMES_SOMETHING.search(json.dumps(made)) is None


def test_a_fact_that_is_no_json_is_an_error():
    with pytest.raises(TypeError, match="a record has no bytes"):
        Replacing(RUN)({"x": [b"bytes"]})
