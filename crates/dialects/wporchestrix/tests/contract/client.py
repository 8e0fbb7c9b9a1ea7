"""A client of the published API reference: every path, header and member in here stands there.

It prints the name of each step that went as the reference says, and ends with an error otherwise.
"""

import base64
import json
import os
import urllib.error
import urllib.request

API = os.environ["API"]
EMAIL = os.environ["EMAIL"]
PASSWORD = os.environ["PASSWORD"]


def call(method, path, body=None, auth=None):
    """The status and the JSON of an answer."""
    request = urllib.request.Request(API + "/api/v1" + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if auth:
        request.add_header("Authorization", auth)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def step(name, condition, seen):
    if not condition:
        raise SystemExit(f"{name}: {seen}")


def main():
    login = {"email": EMAIL, "password": PASSWORD}

    seen = call("POST", "/auth", login)
    step("login", seen[0] == 200 and seen[1]["token"], seen)
    token = "token " + seen[1]["token"]
    print("login")

    seen = call("GET", "/me", auth=token)
    step("me", seen[0] == 200 and seen[1]["email"] == EMAIL, seen)
    print("me")

    seen = call("GET", "/accounts?page=1", auth=token)
    step("accounts", seen[0] == 200 and isinstance(seen[1], list) and seen[1], seen)
    account = seen[1][0]
    seen = call("GET", "/accounts/" + account["id"], auth=token)
    step("account", seen == (200, account), seen)
    seen = call("GET", "/accounts?page=2", auth=token)
    step("accounts, page 2", seen == (200, []), seen)
    print("accounts")

    seen = call("GET", "/users", auth=token)
    step("users", seen[0] == 200 and EMAIL in [user["email"] for user in seen[1]], seen)
    print("users")

    seen = call("GET", "/activity_logs", auth=token)
    step("activity", seen[0] == 200 and isinstance(seen[1], list) and seen[1], seen)
    print("activity")

    hook = {"url": os.environ["HOOK"], "events": ["site.down", "upgrade.failed"]}
    seen = call("POST", "/webhook_endpoints", hook, token)
    step("webhooks", seen[0] == 201 and seen[1]["secret"].startswith("whsec_"), seen)
    key = base64.b64decode(seen[1]["secret"].removeprefix("whsec_"))
    step("webhooks, key", len(key) == 32, seen)
    path = "/webhook_endpoints/" + seen[1]["id"]
    seen = call("GET", path, auth=token)
    step("webhooks, show", seen[0] == 200 and "secret" not in seen[1], seen)
    step("webhooks, list", call("GET", "/webhook_endpoints", auth=token) == (200, [seen[1]]), seen)
    seen = call("PATCH", path, {"webhook_endpoint": {"active": False}}, token)
    step("webhooks, change", seen[0] == 200 and seen[1]["active"] is False, seen)
    seen = call("DELETE", path, auth=token)
    step("webhooks, remove", seen[0] == 204, seen)
    seen = call("POST", "/webhook_endpoints", {"url": "http://example.com", "events": ["*"]}, token)
    step("webhooks, https", seen[0] == 422 and seen[1]["error"] == "Url must be https", seen)
    print("webhooks")

    seen = call("POST", "/jwt", login)
    step("jwt", seen[0] == 200 and seen[1]["token_type"] == "Bearer", seen)
    pair = seen[1]
    seen = call("GET", "/me", auth="Bearer " + pair["access_token"])
    step("jwt, me", seen[0] == 200 and seen[1]["email"] == EMAIL, seen)
    print("jwt")

    seen = call("POST", "/jwt/refresh", {"refresh_token": pair["refresh_token"]})
    step("refresh", seen[0] == 200 and seen[1]["refresh_token"] != pair["refresh_token"], seen)
    pair = seen[1]
    print("refresh")

    bearer = "Bearer " + pair["access_token"]
    seen = call("POST", "/jwt/revoke", {"token": pair["access_token"]}, bearer)
    step("revoke", seen[0] == 200, seen)
    seen = call("GET", "/me", auth=bearer)
    step("revoke, me", seen[0] == 401 and isinstance(seen[1]["error"], str), seen)
    print("revoke")

    seen = call("POST", "/auth", {"email": EMAIL, "password": "wrong"})
    step("401", seen == (401, {"error": "Invalid email or password"}), seen)
    seen = call("GET", "/accounts/unknown", auth=token)
    step("404", seen == (404, {"error": "Record not found"}), seen)
    print("errors")

    seen = call("DELETE", "/auth", auth=token)
    step("logout", seen[0] == 200, seen)
    seen = call("GET", "/me", auth=token)
    step("logout, me", seen[0] == 401, seen)
    print("logout")


main()
