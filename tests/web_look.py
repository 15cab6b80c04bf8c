"""web_look.py PAGE PROMPT TOKENS - opens the page of examples/web in headless Chromium as a person would: types the prompt,
writes with Control and Enter, waits for the ranking; prints what it found as JSON. Chromium is spoken to by its debugging pipe
(the DevTools protocol, messages that end in NUL), so nothing but Python is needed."""
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

LIMIT = 300  # seconds that anything may take


class Browser:
    def __init__(self, program, profile):
        to_read, self.to = os.pipe()
        self.of, to_write = os.pipe()
        for end in (to_read, to_write):
            os.set_inheritable(end, True)
        command = f'exec "$@" 3<&{to_read} 4>&{to_write}'
        self.process = subprocess.Popen(
            ["bash", "-c", command, "browser", program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe", "--user-data-dir=" + profile, "about:blank"],
            pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.number, self.waiting, self.events, self.session = 0, b"", [], None

    def message(self, until):
        while b"\0" not in self.waiting:
            if not select.select([self.of], [], [], max(0, until - time.time()))[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self.of, 1 << 16)
            if not more:
                raise EOFError("the browser has ended")
            self.waiting += more
        one, self.waiting = self.waiting.split(b"\0", 1)
        return json.loads(one)

    def ask(self, method, **params):
        self.number += 1
        call = {"id": self.number, "method": method, "params": params}
        if self.session:
            call["sessionId"] = self.session
        os.write(self.to, json.dumps(call).encode() + b"\0")
        until = time.time() + LIMIT
        while True:
            m = self.message(until)
            if m.get("id") == self.number:
                if "error" in m:
                    raise RuntimeError(method + ": " + m["error"]["message"])
                return m["result"]
            self.events.append(m)

    def value(self, script):
        got = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in got:
            raise RuntimeError(script + ": " + str(got["exceptionDetails"].get("exception", {}).get("description")))
        return got["result"].get("value")

    def wait(self, script):
        until = time.time() + LIMIT
        while not self.value(script):
            if time.time() > until:
                raise TimeoutError(script)
            time.sleep(0.05)

    def key(self, key, code, modifiers=0):
        for kind in ("rawKeyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=modifiers)

    def width(self, pixels):
        self.ask("Emulation.setDeviceMetricsOverride", width=pixels, height=800, deviceScaleFactor=1, mobile=pixels < 600)
        return self.value("document.documentElement.scrollWidth")


def look(b, page, prompt, tokens):
    found = {}
    target = b.ask("Target.createTarget", url="about:blank")["targetId"]
    b.session = b.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Runtime", "Log", "Network", "Page"):
        b.ask(domain + ".enable")
    b.ask("Page.navigate", url="file://" + os.path.abspath(page))
    b.wait('typeof at === "function" && (!at("go").disabled || at("trouble").textContent)')
    found["trouble"] = b.value('at("trouble").textContent')
    b.value(f'at("tokens").value = "{tokens}"')
    # types over what stands there
    b.value('at("prompt").focus()')
    b.value('at("prompt").select()')
    b.ask("Input.insertText", text=prompt)
    found["typed"] = b.value('at("prompt").value')
    b.key("Enter", 13, 2)
    b.wait("ranked !== null || at('trouble').textContent")
    found["first"] = b.value("ranked && ranked.tokens")
    found["lit"] = b.value("new Set(cells.map(c => c.style.background)).size")
    b.wait("!running")
    b.value('window.shown = k => [...at("pairs").rows].map(r => [r.cells[k].textContent, +r.cells[k + 1].textContent])')
    found.update(json.loads(b.value(
        'JSON.stringify({tokens: ranked.tokens, units, layers, synergy: [...ranked.synergy], redundancy: [...ranked.redundancy], '
        'rank: [...ranked.rank], difference: [...ranked.difference], profile: [...ranked.profile.difference], '
        'ids: [...new Int32Array(web.memory.buffer, web.web_ids(), written)], said: at("said").textContent, '
        'synergy_pairs: shown(0), redundancy_pairs: shown(2), matrix: [...ranked.pairs[0]], lines: at("profile").querySelectorAll("path").length})')))
    # the map by keys: from the first head to its right neighbour
    b.value("cells[0].focus()")
    b.key("ArrowRight", 39)
    found["told"] = b.value('at("told").textContent')
    found["widths"] = [[w, b.width(w)] for w in (320, 360, 800, 1400)]
    # a second run, stopped
    b.key("Enter", 13, 2)
    b.wait("written >= 2")
    b.key("Escape", 27)
    found["stopped"] = b.value("!running && written < wanted")
    # a prompt that leaves no room
    b.value('at("prompt").value = "word ".repeat(400)')
    b.value('at("go").click()')
    found["too_long"] = b.value('at("trouble").textContent')
    found["faults"] = [str(e["params"])[:300] for e in b.events if e.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
    found["loaded"] = [e["params"]["request"]["url"][:100] for e in b.events if e.get("method") == "Network.requestWillBeSent"]
    return found


def main(page, prompt, tokens):
    program = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        b = Browser(program, profile)
        try:
            print(json.dumps(look(b, page, prompt, tokens)))
        finally:
            b.process.kill()
            b.process.wait()


main(sys.argv[1], sys.argv[2], sys.argv[3])
