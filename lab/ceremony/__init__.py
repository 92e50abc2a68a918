"""`make ceremony`: docs/ceremony.md, played on a local AWS by separate parties with separate permissions.

    page.py       reads the page and examples/ceremony/: commands and what they print, policies, the template
    parties.py    the parties: each has its own role, credentials and folder; their commands run as processes
    holders.py    two custodians who each make a component and type it, at terminals
    acts.py       the acts: each runs a section of the page
    __main__.py   runs the acts in their order, and says what to look at when one fails

The page and its folder are the only source: IAM enforces the policies of the folder, and commands run as the page gives them.
Each command's output is compared with the page.

The local AWS does not enforce rights for CloudFormation's own calls for a stack (on AWS: the rights of the deploy role).
"""
