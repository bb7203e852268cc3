"""Sending the batches of a run, each request at most once unless a person says otherwise (SPEC 7).

    sealed      the folder of a run, checked against its manifest and the contract
    access      base URLs and keys
    planning    what of it would be sent now, and what would not, and why
    journal     what became of each request: the store's table `submissions`, which decides
    transport   one request over HTTP, and whether a byte of its body went out
    verdicts    what an answer means
    waiting     when to try again
    states      the states of a request, and what each means to a person
    delivering  the story: record, send, record, go on

The order of every request is: its row is recorded as `sending`, it is sent, and what came of it is recorded. Whatever
is found as `sending` when nobody sends is what a killed process left: nobody knows whether it arrived.
"""
