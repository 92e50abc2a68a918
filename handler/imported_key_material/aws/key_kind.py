"""Which kind of material a key takes. It follows from the key spec (`material/key_specs.py`).

It is not in `key_view.py`, so that the watch, which judges no material, need not load the rules for material.
"""

from typing import Final

from imported_key_material.aws.key_view import KeyView
from imported_key_material.material.key_specs import KEY_SPECS, Kind

_ASYMMETRIC: Final = frozenset({Kind.RSA, Kind.EC, Kind.EDWARDS})


def kind_of(view: KeyView) -> Kind | None:
    """None for a key spec that takes no imported material."""
    spec = KEY_SPECS.get(view.spec)
    return spec.kind if spec else None


def is_asymmetric(view: KeyView) -> bool:
    """Whether the key takes a private key, and KMS returns its public key."""
    return kind_of(view) in _ASYMMETRIC
