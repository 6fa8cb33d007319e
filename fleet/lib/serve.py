#!/usr/bin/env python3
"""Serves a directory over http to the hosts: pip's index, the apt repositories, their keys.

usage: serve.py ADDRESS PORT DIRECTORY
"""
import functools
import http.server
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    def send_head(self):
        # Two publications within a second have the same time: "not modified" would be a lie.
        del self.headers["If-Modified-Since"]
        return super().send_head()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    address, port, directory = sys.argv[1:]
    Server((address, int(port)), functools.partial(Handler, directory=directory)).serve_forever()


if __name__ == "__main__":
    main()
