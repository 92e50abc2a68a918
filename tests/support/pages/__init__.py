"""The commands of the pages, as a reader types them: one page after the other, in one shell and one local account.

    blocks.py       reads the pages: `console` blocks, the commands in them, what they print, and which can't run here
    reader.py       somebody at a shell, who has the programs that the pages name
    aws_program.py  one of these programs, `aws`

A block that can't run here, or that fails on purpose, says so right before it, in a comment that readers don't see:

    <!-- not run: the local AWS has no service quotas -->
    <!-- fails: cfn-lint finds the misspelt property -->

The reason is required. Of a block that is not run the parameters of each `aws` command are compared with botocore's models.
"""
