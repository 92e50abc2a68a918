"""The world in which the function is proved: stand-ins for AWS, and programs that play, measure and attack.

Stand-ins for AWS, without a network:

    kms/             a KMS as strict as AWS's where key material is imported (`make kms`)
    cloudformation/  CloudFormation's reads for a function, its requests, and its response bucket
    secretsmanager/  secrets: reading and writing them
    awslambda/       Lambda's context for an invocation, and Invoke
    sts.py           GetCallerIdentity; sns.py: Publish to a topic
    wire/            HTTP, AWS's protocols and faults; below botocore in one process, or behind one address
    aws_cli/         the AWS CLI, as far as the pages use it
    keys/            private keys, secrets and wrapped material; SoftHSM and OpenSSL as the far side
    world.py         the real function in one process, with all of these; clock.py its time
    on_failure.py    the on-failure function in that world, and Lambda's record of an abandoned event
    watch/           the watch in that world, and over thousands of keys

Programs:

    simulation/      a deterministic world of its own: one seed decides everything (`make simulate`, `make table`)
    local/           a local AWS with the deployed application (`make local`)
    live/            acts on an AWS account that settle what is assumed of AWS (`make live`)
    demo/            the whole story, from an empty key to a used one (`make demo`)
    pages/           the commands of the pages, as a reader types them
    ceremony/        custodians, engineer and auditor, each with their own rights (`make ceremony`)
    cdk/             the stack of examples/cdk/ (`make cdk`)
    chaos/           real stacks whose function is killed (`make chaos`)
    quota/           hundreds of keys against one quota (`make quota`)
    hostile/         input that tries to make the function hang or run out of memory
    bench/           what the function costs (`make bench`, `make soak`)

Nothing here is part of what is deployed, and nothing here imports tests/. Each folder's `__init__` says what the folder stands
for and what it leaves out. Its tests are in tests/lab/.

This file imports nothing: parts of it run in other interpreters.
"""
