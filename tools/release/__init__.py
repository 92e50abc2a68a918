"""Makes dist/, which is all that a release consists of, from the commit that is checked out and what SAM built of it.

    source.py     the commit: its version and date, whether it can be released, its files
    zips.py       zips that depend on nothing but the names and bytes of their files
    template.py   the CloudFormation template without SAM's transform
    wheels.py     the wheels of tool and lint rules, and the lists with hashes to install them by
    origins.py    which wheel, or the commit, each file of the functions' and layers' zips comes from
    sbom.py       what is in these zips, as CycloneDX
    __main__.py   the program

One commit gives the same bytes on each machine with the same Python, zlib and SAM CLI. So nothing here asks the clock or reads
the environment, and what other programs write is given fixed times and modes.
"""
