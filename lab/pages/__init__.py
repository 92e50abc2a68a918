"""The commands of the pages, as a reader types them: one page after the other, in one shell and one local account.

    command.py      a command, and what the page says that it prints
    blocks.py       reads the pages: `console` blocks, the commands in them, what they print, and which can't run here
    reader.py       somebody at a shell, who has the programs that the pages name
    aws_program.py  one of these programs, `aws`

A block that can't run here says so right before it, in a comment that readers don't see:

    <!-- not run: the local AWS has no service quotas -->

The reason is required, and the blocks are counted. Of every block the parameters of each `aws` command are compared with
botocore's models.
"""
