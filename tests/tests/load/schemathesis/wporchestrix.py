"""What the fuzzer knows of the server: a token, and who may sign in."""

import itertools
import os
import random

import schemathesis

TOKEN = os.environ["PRESSROOM_TOKEN"]
SCHEMES = itertools.cycle([f"token {TOKEN}", f"Bearer {TOKEN}"])
# Generated logins are nobody's: most are somebody's instead.
REAL = {"email": os.environ["PRESSROOM_EMAIL"], "password": os.environ["PRESSROOM_PASSWORD"]}
SITE = os.environ["PRESSROOM_SITE"]
CHANCE = random.Random(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers = {**(case.headers or {}), "Authorization": next(SCHEMES)}
    # What is deleted could not be asked about any more.
    if "/sites/" in case.path and case.method.upper() != "DELETE" and CHANCE.random() < 0.7:
        case.path_parameters = {**(case.path_parameters or {}), "id": SITE}
    if not isinstance(case.body, dict):
        return
    if "token" in case.body and case.path.endswith("/revoke"):
        # It would have nothing left to ask with.
        if case.body["token"] == TOKEN:
            case.body["token"] = "another"
    if CHANCE.random() < 0.7:
        for name in case.body.keys() & REAL.keys():
            case.body[name] = REAL[name]
