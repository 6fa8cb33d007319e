#!/usr/bin/env python3
"""Waits until hosts answer. usage: wait_ready.py SECONDS NAME:ADDRESS:ssh|http...

ssh: the server says its greeting. http: the site's first page comes with status 200 (gunicorn and
the database behind it work). Prints what does not answer, and exits with 1, when time is up.
"""
import http.client
import socket
import sys
import threading
import time


def ssh(address):
    with socket.create_connection((address, 22), timeout=2) as connection:
        connection.settimeout(2)
        greeting = connection.recv(64)
    if not greeting.startswith(b"SSH-2.0"):
        raise OSError(f"said {greeting!r} instead of an ssh greeting")


def web(address):
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != 200:
        raise OSError(f"status {status}")


def wait(check, address, deadline, result, key):
    while True:
        try:
            check(address)
            result[key] = None
            return
        except (OSError, http.client.HTTPException) as error:
            result[key] = str(error) or type(error).__name__
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)


def main():
    deadline = time.monotonic() + float(sys.argv[1])
    result, threads = {}, []
    for target in sys.argv[2:]:
        name, address, kind = target.split(":")
        key = f"{name} ({address}, {kind})"
        result[key] = "not tried"
        check = ssh if kind == "ssh" else web
        threads.append(threading.Thread(target=wait, args=(check, address, deadline, result, key)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    silent = {key: why for key, why in result.items() if why is not None}
    for key, why in silent.items():
        print(f"  {key}: {why}", file=sys.stderr)
    sys.exit(1 if silent else 0)


if __name__ == "__main__":
    main()
