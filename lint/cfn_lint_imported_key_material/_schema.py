"""The function's schema.json, and the names in it."""

import json
from pathlib import Path
from typing import Any, Final

TYPE: Final = "Custom::ImportedKeyMaterial"
TAG: Final = "imported-key-material"
SOURCE_URL: Final = "https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html"

SCHEMA: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("schema.json").read_text("utf-8"))

ONLY_ATTRIBUTES: Final = tuple(pointer.rsplit("/", 1)[-1] for pointer in SCHEMA["readOnlyProperties"])
# KeyId and ValidTo are properties and attributes: as attributes they have KMS's values.
ATTRIBUTES: Final = (*ONLY_ATTRIBUTES, "KeyId", "ValidTo")
PROPERTIES: Final = {name: rule for name, rule in SCHEMA["properties"].items() if name not in ONLY_ATTRIBUTES}
