"""Waits in line for a simulation server: python3 session.py https://session.example.org [PROJECT]"""
import json
import sys
import time
import urllib.request
import uuid


def ask(method, url, body=None):
    request = urllib.request.Request(url, body and json.dumps(body).encode(), method=method)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.request.HTTPError as error:
        raise SystemExit(json.load(error)["reason"])


def request_session(server, project=None):
    sessions = server.rstrip("/") + "/api/v1/sessions"
    body = {"wait": True, "clientId": str(uuid.uuid4()), **({"project": project} if project else {})}
    answer = ask("POST", sessions, body)
    while answer["type"] == "waiting":
        print("Position", answer["position"], file=sys.stderr, flush=True)
        time.sleep(answer["askAgainSeconds"])
        answer = ask("GET", sessions + "/" + answer["ticket"])
    return answer["url"]


print(request_session(*sys.argv[1:]))
