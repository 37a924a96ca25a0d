"""Control messages: what is one, and what is told of the others."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtser.errors import InputError
from rtser.protocol import Finalize, Reset, Start, parsed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_a_start_says_what_the_sound_is():
    assert parsed('{"type": "start", "rate": 8000, "channels": 2}') == Start(type="start", rate=8000, channels=2)


@pytest.mark.parametrize(("text", "kind"), [('{"type": "finalize"}', Finalize), ('{"type": "reset"}', Reset)])
def test_the_other_messages_need_their_type_only(text, kind):
    assert isinstance(parsed(text), kind)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello", "JSON"),
        ("[]", "object"),
        ('{"rate": 8000}', "it has no type"),
        ('{"type": "stop"}', "'stop'; its type is start, finalize or reset"),
        ('{"type": "st\\nop"}', "st\\nop"),
        ('{"type": "start", "rate": 7999}', "start: rate must be 8000 to 48000"),
        ('{"type": "start", "rate": 48001}', "rate"),
        ('{"type": "start", "rate": NaN}', "rate"),
        ('{"type": "start", "model": "/etc/passwd"}', "model"),
        ('{"type": "reset", "missing_s": 1e999}', "missing_s"),
    ],
)
def test_what_is_no_message_is_refused_in_one_sentence(text, words):
    with pytest.raises(InputError) as raised:
        parsed(text)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@given(st.text() | JSON.map(json.dumps) | st.dictionaries(st.sampled_from([*Start.model_fields]), JSON).map(json.dumps))
def test_any_text_is_a_message_or_is_refused(text):
    try:
        assert parsed(text).type in ("start", "finalize", "reset")
    except InputError as error:
        assert len(str(error).splitlines()) == 1
