"""Calls to AWS: which errors are waited out, what an error means, and what AWS shows, as types.

    clients.py, boto_session.py    the boto3 clients
    calls.py                       makes a call, and waits out errors that pass by themselves
    error_texts.py, meanings.py    an error of AWS becomes a sentence; secret_errors.py: for secrets
    masks.py                       values that no text of AWS may repeat
    quota.py, metrics.py           waits for KMS's quota, and measures how long
    kms_key.py                     a key and the calls that change it; kms_reads.py, kms_pages.py: reads of a key
    key_view.py                    what DescribeKey shows; held_materials.py: what ListKeyRotations shows
    key_kind.py                    which kind of material a key takes
    import_parameters.py           what GetParametersForImport gives; seals material
    secret.py                      the secret, and the value of one version
    transport_key.py               whether a key can unwrap a secret
    consent_tags.py                reads the tags by which owners consent
    cloudformation_reads.py        the reads of CloudFormation: the calls, and how a list is paged

AWS's dicts go no further than this folder. Nothing here knows a request or the life cycle.
"""
