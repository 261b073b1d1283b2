import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import paretonav as pn
from paretonav.session.codec import decode, encode

TENSORS = st.builds(
    lambda seed: torch.randn(3, generator=torch.Generator().manual_seed(seed)), st.integers(0, 9)
)
SCALARS = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    SCALARS | TENSORS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def same(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and torch.equal(a, b)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


@given(VALUES)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_is_encoded_is_decoded_to_the_same(value: object) -> None:
    tensors: dict[str, torch.Tensor] = {}
    stored = json.loads(json.dumps(encode(value, tensors)))
    assert same(value, decode(stored, tensors))


@pytest.mark.parametrize("odd", [object(), {1: 2}, b"bytes", 1j, {"a": {2, 3}}])
def test_what_cannot_be_stored_is_said(odd: object) -> None:
    with pytest.raises(pn.SessionError, match="cannot store"):
        encode(odd, {})
