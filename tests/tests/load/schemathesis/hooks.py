"""What the fuzzer knows of the server: keys that are not used up, and what is there."""

import itertools
import os
import random

import schemathesis

KEYS = itertools.cycle(os.environ["PRESSROOM_KEYS"].split())
SITE = os.environ["PRESSROOM_SITE"]
DOMAIN = os.environ["PRESSROOM_DOMAIN"]
# Generated ids name nothing: most requests are about something real instead.
REAL = {"id": SITE, "source_id": SITE, "domain": DOMAIN, "target_domain": DOMAIN,
        "plugin": "akismet", "theme": "twentytwentyfour", "username": "editor"}
CHANCE = random.Random(1)


def fill(members):
    for name in members.keys() & REAL.keys():
        if CHANCE.random() < 0.7:
            members[name] = REAL[name]


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {next(KEYS)}"}
    for members in (case.body, case.query):
        if not isinstance(members, dict):
            continue
        if case.path.endswith("/delete"):
            # It saw the id in answers: what is deleted could not be asked about any more.
            if members.get("id") == SITE:
                members["id"] = "wp_000000000"
        else:
            fill(members)
