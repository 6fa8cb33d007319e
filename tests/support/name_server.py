"""A name server for tests: CNAME, A and AAAA records, over UDP."""
import contextlib
import socketserver
import struct
import threading


class Names(socketserver.BaseRequestHandler):
    answers = {}  # by name: a list of (type, text), or a function that gives one; another name is NXDOMAIN

    def handle(self):
        data, link = self.request
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        question = data[12:at + 5]
        kind, = struct.unpack(">H", data[at + 1:at + 3])
        found = Names.answers.get(".".join(labels))
        if callable(found):
            found = found()
        records = b""
        count = 0
        for rtype, text in found or []:
            if rtype == 5:
                raw = b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"
            elif rtype == 1:
                raw = bytes(int(part) for part in text.split("."))
            else:
                raw = bytes(15) + b"\1"
            if rtype in (5, kind):
                records += b"\xc0\x0c" + struct.pack(">HHIH", rtype, 1, 60, len(raw)) + raw
                count += 1
        flags = 0x8180 | (0 if found is not None else 3)
        link.sendto(data[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + question + records, self.client_address)


@contextlib.contextmanager
def serving(answers, address="127.0.0.1", port=0):
    """Answers by ANSWERS as long as the block lasts; its value is the port. One at a time."""
    Names.answers = answers
    with socketserver.ThreadingUDPServer((address, port), Names) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
