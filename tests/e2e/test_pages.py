"""The commands of the pages, as a reader types them: one page after the other, in the order printed, in one local account."""

from dataclasses import replace

import pytest

from lab.local.__main__ import example
from lab.pages.blocks import READ_IN_ORDER, blocks
from lab.pages.reader import NotAsPrintedError, Reader, reading
from tests.support.findings import copy_tree

REGION = "eu-north-1"  # only this test uses this Region: the pages use the names of a whole account
FIRST_KEY = "## Your first key"
BEGINS_FIRST, BEGINS_SECOND = "$ STACK=orders-first ", "$ STACK=orders-second "
BEFORE = {  # what others have done, or what the reader has on paper, by the first line of the block that needs it
    "$ key-custodian verify alias/orders-payments ": """
        aws cloudformation deploy --stack-name orders-payments --template-file examples/hmac.yaml \\
            --parameter-overrides SecretId=orders/payments-key
    """,
    "$ STACK=orders-adopted ": r"""
        openssl rand 32 > by-hand.bin
        KEY=$(aws kms create-key --origin EXTERNAL --query KeyMetadata.KeyId --output text)
        aws kms get-parameters-for-import --key-id $KEY --wrapping-algorithm RSAES_OAEP_SHA_256 \
            --wrapping-key-spec RSA_4096 --query "[[PublicKey],[ImportToken]]" --output text > parameters.b64
        sed -n 1p parameters.b64 | base64 --decode > public.der && sed -n 2p parameters.b64 | base64 --decode > token.bin
        openssl pkeyutl -encrypt -pubin -keyform DER -inkey public.der -in by-hand.bin -out by-hand.wrapped \
            -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256
        aws kms import-key-material --key-id $KEY --encrypted-key-material fileb://by-hand.wrapped \
            --import-token fileb://token.bin --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE
    """,
    "$ OLD=orders-old NEW=orders-new ": r"""
        openssl rand 32 > moved.bin
        aws kms encrypt --key-id alias/transport --plaintext fileb://moved.bin --output text --query CiphertextBlob \
            --encryption-context imported-key-material=$ACCOUNT/orders-old/key > moved.b64
        aws secretsmanager create-secret --name orders-old/key --secret-string file://moved.b64 \
            --tags Key=imported-key-material,Value=orders-old
        aws cloudformation deploy --stack-name orders-old --template-file examples/first-key.yaml
    """,
    '$ aws cloudformation describe-stack-events --stack-name "$STACK"': """
        STACK=orders-first
        MATERIAL=$(aws kms describe-key --key-id alias/$STACK --query KeyMetadata.CurrentKeyMaterialId --output text)
    """,
}


@pytest.fixture
def clone(tmp_path):
    """The folder of somebody who cloned the repository."""
    folder = tmp_path / "imported-key-material"
    copy_tree(folder)
    return folder


def test_every_command_does_what_its_page_says(aws, clone, tmp_path):
    """One test: each page begins where the previous page ended."""
    (tmp_path / "shell").mkdir()
    with reading(tmp_path / "shell", aws.elsewhere(REGION).settings, clone) as reader:
        what_make_local_prints(reader, aws)
        needs = dict(BEFORE)
        for block in (block for page in READ_IN_ORDER for block in blocks(page) if not block.not_run):
            what_the_block_needs(reader, block, needs)
            reader.runs(block)
            if block.heading == FIRST_KEY:
                the_second_key_is_made_like_the_first(reader, block)
        assert needs == {}


def what_make_local_prints(reader, aws):
    """Runs before the pages: no page may use a name that it has taken."""
    types(reader, f"(\nset -e\n{example(aws.settings)}\n)")


def what_the_block_needs(reader, block, needs):
    for beginning in [beginning for beginning in needs if block.text.startswith(beginning)]:
        types(reader, needs.pop(beginning))


def the_second_key_is_made_like_the_first(reader, block):
    assert block.text.startswith(BEGINS_FIRST)
    reader.runs(replace(block, text=block.text.replace(BEGINS_FIRST, BEGINS_SECOND)))


def types(reader: Reader, script: str):
    code, printed = reader.types(script)
    if code != 0:
        raise NotAsPrintedError(f"exit code {code} of\n{script}\n{printed}")
