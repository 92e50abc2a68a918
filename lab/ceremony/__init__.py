"""`make ceremony`: docs/ceremony.md, played on a local AWS by separate parties with separate permissions.

    page.py       reads the page and examples/ceremony/: commands and what they print, policies, the template
    parties.py    the parties: a role and credentials of their own, a folder of their own, their commands as processes
    stack_resources.py    two people who type a component each, at a terminal
    acts.py       what happens, act by act: each runs a section of the page
    __main__.py   the order of the acts, and what to look at when one fails

The page and its folder are the one source: the policies that IAM enforces here are those of the folder, and a command runs as
it stands on the page. What the page says a command prints is compared with what it prints.

What the local AWS does not enforce: CloudFormation's own calls for a stack (on AWS: the rights of the deploy role).
"""
