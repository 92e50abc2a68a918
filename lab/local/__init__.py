"""A local AWS: the real application and real stacks on one machine, without Docker and without an account.

    places.py       where its tools and folders are; only this module knows that
    settings.py     how clients reach it: endpoint, certificate, credentials
    ministack.py    starts MiniStack, and stops it reliably
    strict_main.py  runs in MiniStack's interpreter: corrects it where it differs from AWS
    corrections/    the corrections, each with its reason
    deviations/     deviations from AWS that tests plant, to prove that `make live` finds them
    journal.py      records the requests and answers of custom resources, without secrets, for tests to read
    runtime.py      runs deployed functions under AWS's own runtime client
    functions.py    fetches deployed functions, and serves their invocations
    observer.py     the interface for tests that watch invocations, and lead their calls elsewhere (`make chaos`)
    service.py      the process that holds all of it together
    session.py      `LocalAws`: starts the service, shares it, ends it
    deploy.py       `sam build`, `sam deploy`, and stacks

`make local` keeps it running (`__main__.py`). Nothing outside this package imports MiniStack.

This file imports nothing: strict_main.py runs in another interpreter than the tests.
"""
