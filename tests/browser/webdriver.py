"""A browser driven by the W3C's WebDriver protocol, which is JSON over HTTP: no package is needed to speak it."""

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's own name for a reference

#: Options of a browser without background activity.
_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
]  # fmt: skip


def why_not() -> str | None:
    """Why no browser can be driven here; None where one can."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return (
        f"{' and '.join(missing)} not found; on Debian: apt-get install chromium chromium-driver" if missing else None
    )


class Browser:
    """Headless Chromium; a context manager."""

    def __init__(self, profile):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._at = f"http://127.0.0.1:{port}"
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._session = ""
        try:
            self._wait_until_ready()
            options = {"binary": shutil.which("chromium"), "args": [*_FLAGS, f"--user-data-dir={profile}"]}
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/session/{made['sessionId']}"
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the browser and what drives it."""
        try:
            if self._session:
                self._ask("DELETE", self._session)
        finally:
            self._driver.terminate()
            self._driver.wait(30)

    def _wait_until_ready(self):
        for _ in range(200):
            try:
                if self._ask("GET", "/status")["ready"]:
                    return
            except urllib.error.URLError:
                time.sleep(0.1)
        raise TimeoutError("chromedriver did not start")

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._at + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(json.load(error)["value"]["message"]) from None

    def _devtools(self, command, **parameters):
        return self._ask("POST", f"{self._session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    def look(self, *, width, height=900, scheme="light", media=""):
        """Set the viewport in CSS pixels, the colour scheme that the user prefers, and the medium."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._devtools("Emulation.setEmulatedMedia", media=media, features=features)

    def open(self, path):
        """Load a file, and wait for it."""
        self._ask("POST", f"{self._session}/url", {"url": path.resolve().as_uri()})

    def run(self, script, *arguments):
        """The value that a function's body returns."""
        return self._ask("POST", f"{self._session}/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        """An element, to click or to type into; also usable as an argument of `run`."""
        return self._ask("POST", f"{self._session}/element", {"using": "css selector", "value": selector})

    def click(self, element):
        """With the pointer."""
        self._ask("POST", f"{self._session}/element/{element[_ELEMENT]}/click", {})

    def type(self, element, text):
        """With the keyboard, after giving the element the focus."""
        self._ask("POST", f"{self._session}/element/{element[_ELEMENT]}/value", {"text": text})

    def console(self):
        """Messages since the last time, as (level, text)."""
        entries = self._ask("POST", f"{self._session}/se/log", {"type": "browser"})
        return [(entry["level"], entry["message"]) for entry in entries]

    def picture(self, full=False):
        """PNG of the viewport, or of the whole page."""
        return base64.b64decode(
            self._devtools("Page.captureScreenshot", captureBeyondViewport=full, **self._clip(full))["data"]
        )

    def _clip(self, full):
        if not full:
            return {}
        width, height = self.run("return [document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        return {"clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}

    def paper(self):
        """PDF of the page as printed."""
        return base64.b64decode(self._devtools("Page.printToPDF", preferCSSPageSize=True)["data"])
