"""Runs the commands of the pages as a reader types them: one page after the other, in one shell and one local account.

    command.py      a command, and the output that the page shows
    blocks.py       reads the pages: `console` blocks, their commands, their output, and whether they can run here
    reader.py       a reader at a shell, with the programs that the pages name
    aws_program.py  one of these programs, `aws`

A comment that readers don't see, right before a block, says that it can't run here:

    <!-- not run: the local AWS has no service quotas -->

The reason is required, and the blocks are counted. In every block, the parameters of each `aws` command are compared with
botocore's models.
"""
