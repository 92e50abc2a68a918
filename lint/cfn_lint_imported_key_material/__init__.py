"""cfn-lint rules for Custom::ImportedKeyMaterial: they find, before a deployment, what the function would refuse.

    cfn-lint template.yaml --append-rules cfn_lint_imported_key_material

    E9901  the properties are what the function's schema says
    E9902  the attributes in Fn::GetAtt and Fn::Sub exist
    E9903  the key in the same template has Origin EXTERNAL
    W9904  the key and the secret in the same template have the tag imported-key-material
    W9905  material is retained if its key is
    W9906  the type's name is Custom::ImportedKeyMaterial: these rules check no other type
    E9907  resources that hold the same key declare the same expiry
    E9908  the secret is in the Region of the function
    W9909  the tag imported-key-material separates names by spaces
    E9910  ExpectedCheckValue is a check value of the key's kind
    W9911  a key is retained if its material is
    W9912  a failed first deployment keeps key and material, or neither
    W9913  ValidTo is in the future
    I9914  a failed first deployment leaves no key behind: shown with --include-checks I

What only a deployment knows is not checked: an import, a parameter without default, the value of a condition. A rule that is
not sure finds nothing. (cfn-lint's own W1030 is a property whose parameter has a wrong default.) Where the function has a
sentence for the same mistake, the finding has the same words.

cfn-lint makes an object of each rule that stands here under its name. It gives a folder's files to Python one by one, and only
those without an underscore: in a clone, `clone.py` loads the rules for `--append-rules lint`. No module imports anything but
cfn-lint: the function is not installed where templates are checked.
"""

from cfn_lint_imported_key_material._declaration import DeclaredProperties
from cfn_lint_imported_key_material._expiry import ExpiryInThePast, OtherExpiryOfOneKey
from cfn_lint_imported_key_material._keys import KeyOfOtherOrigin, NamesWithCommas, NoConsent
from cfn_lint_imported_key_material._names import OtherTypeName, UnknownAttribute
from cfn_lint_imported_key_material._retention import (
    KeyOfRetainedMaterial,
    MaterialOfRetainedKey,
    OtherPolicyOnCreate,
    RetainedOnCreate,
)
from cfn_lint_imported_key_material._values import CheckValueOfNoKind, SecretOfOtherRegion

__all__ = [
    "CheckValueOfNoKind",
    "DeclaredProperties",
    "ExpiryInThePast",
    "KeyOfOtherOrigin",
    "KeyOfRetainedMaterial",
    "MaterialOfRetainedKey",
    "NamesWithCommas",
    "NoConsent",
    "OtherExpiryOfOneKey",
    "OtherPolicyOnCreate",
    "OtherTypeName",
    "RetainedOnCreate",
    "SecretOfOtherRegion",
    "UnknownAttribute",
]
