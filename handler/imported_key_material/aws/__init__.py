"""Calls to AWS: what is waited out, what an error means, and what AWS shows, as types.

    clients.py, boto_session.py    the boto3 clients
    calls.py                       makes a call, and waits out what passes by itself
    error_texts.py, meanings.py    an error of AWS becomes a sentence; secret_errors.py: those of secrets
    masks.py                       values that no text of AWS's may repeat
    quota.py, metrics.py           waits for KMS's quota, and tells how long
    kms_key.py                     a key and the calls that change it; kms_reads.py, kms_pages.py: looking at it
    key_view.py                    what DescribeKey shows; held_materials.py: what ListKeyRotations shows
    import_parameters.py           what GetParametersForImport gives; seals material
    secret.py                      the secret, and the value of one version
    transport_key.py               whether a key can open a wrapped secret
    consent_tags.py                reads the tags by which owners consent
    cloudformation_reads.py        the reads of CloudFormation: the calls, and how a list is paged

A dict of AWS's stops here. Nothing here knows a request or the life cycle.
"""
