"""The choices where docs/internals/kms-contract.md is silent, one line each: the API model first, then the plainest reading.

Of two equally plain readings, the stricter one was chosen. An answer recorded from AWS turns a line of this list into a rule
of the contract.
"""

CHOICES: tuple[tuple[str, str], ...] = (
    # where, what
    ("validation", "All constraints of the API model are checked, in its order, before anything is looked up."),
    ("validation", "An empty KeyMaterialDescription breaks the model's pattern, though its least length is 0."),
    ("validation", "Limit of ListResourceTags ends at 50 and of ListAliases at 100, as their documentation says."),
    ("protocol", "A value of a wrong type is a SerializationException that names the member; AWS's says less."),
    ("lookup", "An alias where none is allowed is a NotFoundException Invalid keyId, as any malformed id."),
    ("lookup", "A malformed ARN, or one of another partition, is an InvalidArnException."),
    (
        "lookup",
        "A key of another account is AccessDeniedException, whether it exists or not, unless its policy allows it.",
    ),
    ("CreateKey", "ML_DSA, ML_KEM and SM2 keys of any origin, and custom key stores, are refused: not modelled."),
    ("GetParametersForImport", "Origin is checked before state, state before the wrapping table."),
    ("GetParametersForImport", "SM2 and SM2PKE get C-10's sentence everywhere; China's RSA_AES_KEY_WRAP_*, too."),
    (
        "GetParametersForImport",
        "Two public keys of a size take turns, to find mixed-up answers; AWS has one per account.",
    ),
    (
        "ImportKeyMaterial",
        "Order: origin, state, parameters for this key, expiry, token, unwrapping, the bytes' form, their id.",
    ),
    ("ImportKeyMaterial", "Asymmetric material is the same if its bytes are: another encoding of one key is refused."),
    ("ImportKeyMaterial", "Only PKCS#8 version 1; only rsaEncryption with NULL; no RSASSA-PSS keys."),
    (
        "ImportKeyMaterial",
        "EXISTING_KEY_MATERIAL on a key that never had any: IncorrectKeyMaterialException, without a message.",
    ),
    ("ImportKeyMaterial", "ImportType left out on a replica means EXISTING_KEY_MATERIAL, even for its first import."),
    (
        "ImportKeyMaterial",
        "KeyMaterialId without ImportType means a re-import; another id than the bytes': C-31's sentence with that id.",
    ),
    (
        "ImportKeyMaterial",
        "NEW_KEY_MATERIAL into a key that is PendingImport for a lost material is staged all the same.",
    ),
    ("ImportKeyMaterial", "A re-import without description keeps the former one."),
    ("ImportKeyMaterial", "Expiry shown by DescribeKey is the earliest of the materials that were ever current."),
    (
        "ImportKeyMaterial",
        "The lifetime of a token ends at ParametersValidTo, not after it; ExpiredImportToken has no message.",
    ),
    ("rotation", "Without replicas a primary's new material is PENDING_ROTATION at once."),
    ("rotation", "A replica that is pending deletion counts as one until it is gone."),
    ("rotation", "RotateKeyOnDemand once more while a rotation runs (C-54) does not count among the 25."),
    ("rotation", "ConflictException is never answered: the model has it, but no record shows it."),
    ("rotation", "A rotation that finds nothing pending at its end changes nothing, and counts among the 25."),
    ("rotation", "The limit of 25 is checked before the pending material."),
    ("rotation", "RotationDate is the end of the rotation."),
    ("rotation", "Automatic rotation of AWS_KMS keys is stored and shown, but never happens."),
    ("rotation", "EnableKeyRotation, RotateKeyOnDemand on a replica: C-66's sentence."),
    (
        "ListKeyRotations",
        "For an asymmetric key, IncludeKeyMaterial is refused in the words recorded for an HMAC key.",
    ),
    ("ListKeyRotations", "For a key that is not symmetric, without IncludeKeyMaterial: a ValidationException, too."),
    ("ListKeyRotations", "The oldest first; KeyId is the key id, as in AWS's examples."),
    ("ListKeyRotations", "Without ALL_KEY_MATERIAL only what a rotation made current."),
    ("ListKeyRotations", "After an expiry ImportState lags (C-51) by 60 s, with the ValidTo that has passed."),
    ("DeleteImportedKeyMaterial", "PendingDeletion: the material goes, the state stays; seen after CancelKeyDeletion."),
    ("DeleteImportedKeyMaterial", "A replica's pending material: only the replica's copy goes."),
    (
        "DeleteImportedKeyMaterial",
        "Answers the deleted KeyMaterialId for symmetric keys; none for a key that never had one.",
    ),
    ("DeleteImportedKeyMaterial", "Without KeyMaterialId it is the current material, never the pending one."),
    ("replicas", "DescribeKey of a replica shows the shared CurrentKeyMaterialId before its own import."),
    ("replicas", "PendingReplicaDeletion: the window begins when the last replica is gone."),
    (
        "replicas",
        "UpdatePrimaryRegion: both keys are Updating for 2 to 60 s; being disabled or empty counts meanwhile.",
    ),
    ("states", "GetPublicKey on a PendingImport key: KMSInvalidStateException, before and after a first import."),
    ("states", "Where C-90 says DisabledException or KMSInvalidStateException, it is the second."),
    ("states", "CancelKeyDeletion on a key that is not pending deletion: KMSInvalidStateException with its state."),
    ("states", "ScheduleKeyDeletion: 7 to 30 days, as its documentation says; the model would take 1 to 365."),
    ("cryptography", "Order: usage, algorithm, state. Decrypt looks for the ciphertext's key first."),
    (
        "cryptography",
        "A ciphertext of a material that is gone, or of a key that is not in this Region: InvalidCiphertextException.",
    ),
    ("cryptography", "Ed25519ph, GrantTokens and Recipient are refused: not modelled."),
    ("cryptography", "Ciphertexts have their own layout; nothing may depend on it."),
    ("aliases", "alias/aws/... can't be made; UpdateAlias asks for the same kind of key and the same usage."),
    ("policies", "A policy needs statements with Effect and Principal; the lockout check is not made."),
    (
        "policies",
        "Rights inside an account are not checked; another account needs a statement for that whole account.",
    ),
    ("tags", "aws: is reserved, repeated keys are refused, 50 tags at most; TagException and LimitExceededException."),
    ("quotas", "A bucket of three requests, or a second's worth if that is more, refilled at the quota's rate."),
    ("quotas", "Operations that C-100 does not name have the quota of AWS's table of request quotas, or none."),
    ("quotas", "Many changes to one key cause no throttling: C-100 says that they can, but not when."),
    (
        "consistency",
        "A late read sees everything as at one past moment. A change is refused as at that moment.",
    ),
    ("consistency", "Aliases are never late."),
)
