"""A headless Chromium, spoken to over a pipe (the DevTools protocol): no port, no library."""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class Browser:
    def __init__(self):
        program = shutil.which("chromium")
        if program is None:
            # Never skipped: a page that nobody has looked at is not known to be readable.
            raise RuntimeError("chromium is not installed: run scripts/setup as root (Debian's package chromium)")
        self.home = tempfile.TemporaryDirectory(prefix="cnplay-browser-")
        to_browser, self.to = os.pipe()
        self.back, from_browser = os.pipe()

        def take_pipes():
            # The numbers that Chromium reads and writes; first out of each other's way.
            first, second = os.dup(to_browser), os.dup(from_browser)
            while first < 5:
                first = os.dup(first)
            while second < 5:
                second = os.dup(second)
            os.dup2(first, 3)
            os.dup2(second, 4)

        command = [program, "--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run",
                   "--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage",
                   f"--user-data-dir={self.home.name}/profile", "about:blank"]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")  # root cannot have one
        with open(f"{self.home.name}/stderr", "wb") as stderr:
            self.process = subprocess.Popen(command, pass_fds=(3, 4), preexec_fn=take_pipes, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=stderr, env={**os.environ, "HOME": self.home.name})
        os.close(to_browser)
        os.close(from_browser)
        self.rest = b""
        self.number = 0
        self.session = None
        self.events = []
        try:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def close(self):
        os.close(self.to)
        os.close(self.back)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        try:
            self.home.cleanup()
        except OSError:
            pass  # a helper process of the browser may still write there

    def _message(self, until):
        while b"\0" not in self.rest:
            if not select.select([self.back], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError("chromium says nothing")
            more = os.read(self.back, 1 << 20)
            if not more:
                with open(f"{self.home.name}/stderr", encoding="utf-8", errors="replace") as stderr:
                    raise RuntimeError("chromium has ended: " + stderr.read()[-2000:])
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        until = time.monotonic() + 60
        while True:
            message = self._message(until)
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            if "id" not in message:
                self.events.append(message)

    def wait_for(self, method):
        until = time.monotonic() + 60
        while not any(event["method"] == method for event in self.events):
            message = self._message(until)
            if "id" not in message:
                self.events.append(message)

    def open(self, url, width=1400, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def value(self, expression):
        """Of a JavaScript expression, as the page stands. It is ours: the page itself may run none."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"]))
        return result["result"].get("value")
