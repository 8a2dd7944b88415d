#!/usr/bin/env python3
"""The page in Debian's Chromium, as its users meet it.

Usage: browser_test.py FOLDER_OF_PROGRAMS SOURCE_FOLDER [--screenshots FOLDER] [unittest's arguments]

Needs chromium (apt-get install chromium) and playwright (PyPI); with axe-core (npm, in build/node) it also looks for what
keeps people with a disability out. Skipped where the first two are missing.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    print("SKIPPED: playwright is not installed: build/venv/bin/python -m pip install playwright")
    sys.exit(SKIPPED)
CHROMIUM = os.environ.get("DICTUM_CHROMIUM") or shutil.which("chromium")
if CHROMIUM is None:
    print("SKIPPED: chromium is not installed: apt-get install chromium")
    sys.exit(SKIPPED)

BIN, SOURCE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
SCREENSHOTS = None
if "--screenshots" in sys.argv:
    at = sys.argv.index("--screenshots")
    SCREENSHOTS = pathlib.Path(sys.argv[at + 1])
    del sys.argv[at : at + 2]
VOICE = SOURCE / "samples/voice_note.wav"
AXE = SOURCE / "build/node/node_modules/axe-core/axe.min.js"
TEXTS = [
    "Start a new note.",
    "Shopping list.",
    "Buy some bread and a bottle of milk.",
    "The shop closes at seven in the evening.",
    "Do not forget <b>the coffee</b>.",
]
SCRIPT = {
    "words": True,
    "texts": TEXTS,
    "latency_ms": 100,
    "interim": {"latency_ms": 20, "partials": ["Buy some", "Buy some bread and"]},
}
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 700}
SLOW = 15_000  # milliseconds, of a machine that is busy


def recording_options(folder, transcriber="simulated"):
    """A recording of the bundled voice note, with texts from a script."""
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT), encoding="utf-8")
    options = {
        "--output-dir": folder / "sessions",
        "--input": VOICE,
        "--transcriber": transcriber,
        "--simulated-script": script,
        "--durability": "crash",
    }
    return [text for option in options.items() for text in option]


class Server:
    """`dictum serve` on a file."""

    def __init__(self, folder, *arguments, transcriber="simulated", pace="realtime", port=0):
        self.sessions = folder / "sessions"
        options = recording_options(folder, transcriber)
        self.process = subprocess.Popen(
            [BIN / "dictum", "serve", "--port", str(port), "--pace", pace, *options, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DICTUM_CONFIG": ""},
        )
        self.url = re.search(r"http\S+", self.process.stdout.readline()).group()

    def journal(self, event):
        """Every event of a kind in the newest session's journal."""
        newest = max(self.sessions.glob("*_*"))
        lines = (newest / "events.jsonl").read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines]
        return [each for each in events if each.get("event") == event]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


def record(folder):
    """A session of all the texts, made at once."""
    arguments = [BIN / "dictum", "record", "--json", *recording_options(folder)]
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)


class PageTest(unittest.TestCase):
    """One browser for all; a page of its own, and what it complains about, for each."""

    @classmethod
    def setUpClass(cls):
        cls.playwright = sync_playwright().start()
        cls.browser = cls.playwright.chromium.launch(
            executable_path=CHROMIUM,
            # The sandbox needs rights that a container has not.
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={VOICE}",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.playwright.stop()

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.complaints = []

    def serve(self, *arguments, **options):
        server = Server(self.folder, *arguments, **options)
        self.addCleanup(server.stop)
        return server

    def open(self, address, *, viewport=None, **options):
        context = self.browser.new_context(viewport=viewport or DESKTOP, accept_downloads=True, **options)
        self.addCleanup(context.close)
        page = context.new_page()
        page.set_default_timeout(SLOW)
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.check_address(request.url, address))
        page.goto(address)
        expect(page.locator("main")).not_to_be_empty(timeout=SLOW)  # only then do keys have a meaning
        return page

    def check_address(self, url, address):
        if not url.startswith((address.split("/#")[0].rstrip("/"), "blob:")):
            self.complaints.append(f"asked {url}")

    def tearDown(self):
        self.assertEqual(self.complaints, [])

    @staticmethod
    def shoot(page, name):
        if SCREENSHOTS is not None:
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.evaluate("document.fonts.ready")
            page.screenshot(path=SCREENSHOTS / f"{name}.png")


def said(page, text):
    return page.locator(".said", has_text=text)


def final(page, text):
    return page.locator('.line[data-state="done"] .said', has_text=text)


def texts(page):
    return page.locator(".line .said").all_inner_texts()


class Recording(PageTest):
    def test_is_started_followed_reloaded_and_stopped_and_nothing_is_lost(self):
        server = self.serve()
        page = self.open(server.url)
        expect(page.get_by_role("heading", name="Ready when you are")).to_be_visible()
        self.shoot(page, "ready")

        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=SLOW)
        expect(said(page, TEXTS[1])).to_be_visible(timeout=SLOW)
        expect(page.locator(".card.open")).to_contain_text("Shopping list", timeout=SLOW)
        expect(page.locator(".tentative").get_by_text("bread and")).to_be_visible(timeout=SLOW)  # interim
        expect(page.locator(".level")).to_be_visible()
        self.shoot(page, "recording")

        before = texts(page)[:2]
        page.reload()
        expect(page.locator(".line").nth(1)).to_be_visible(timeout=SLOW)
        self.assertEqual(texts(page)[:2], before)
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        expect(page.locator(".card.open")).to_contain_text("Shopping list")

        expect(final(page, TEXTS[2])).to_be_visible(timeout=SLOW)
        page.set_viewport_size(PHONE)
        self.shoot(page, "recording-phone")
        page.set_viewport_size(DESKTOP)
        expect(final(page, TEXTS[4])).to_be_visible(timeout=SLOW)
        expect(page.locator("#spoken")).to_contain_text(TEXTS[4])
        page.get_by_role("button", name="Complete it").click()
        expect(page.locator(".card:not(.open)")).to_contain_text("Buy some bread", timeout=SLOW)

        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Record")).to_be_visible(timeout=SLOW)
        self.assertEqual(texts(page), TEXTS)
        self.assertEqual([each["text"] for each in server.journal("TranscriptionComplete")], TEXTS)

    def test_is_paused_muted_and_given_longer_pauses(self):
        server = self.serve()
        page = self.open(server.url)
        page.get_by_role("button", name="Record").click()
        page.get_by_role("button", name="Mute", exact=True).click()
        expect(page.locator(".state")).to_have_text("Muted", timeout=SLOW)
        page.get_by_role("button", name="Unmute").click()
        expect(page.locator(".state")).to_have_text("Recording", timeout=SLOW)
        page.get_by_role("button", name="Long pauses").click()
        expect(page.get_by_role("button", name="Long pauses")).to_have_attribute("aria-pressed", "true", timeout=SLOW)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("p")
        expect(page.locator(".state")).to_have_text("Paused", timeout=SLOW)
        page.reload()
        expect(page.locator(".state")).to_have_text("Paused", timeout=SLOW)
        page.keyboard.press("p")
        expect(page.locator(".state")).to_have_text("Recording", timeout=SLOW)
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Record")).to_be_visible(timeout=SLOW)

    def test_that_cannot_start_says_what_to_do(self):
        server = self.serve(transcriber="nowhere")
        page = self.open(server.url)
        page.keyboard.press("Space")
        expect(page.get_by_role("alert")).to_contain_text("dictum-worker-nowhere", timeout=SLOW)
        expect(page.get_by_role("button", name="Record")).to_be_visible()
        self.complaints = [each for each in self.complaints if "503" not in each]  # the browser's own line

    def test_is_followed_again_after_the_server_was_away(self):
        server = self.serve(pace="fast")
        page = self.open(server.url)
        page.keyboard.press("Space")
        expect(final(page, TEXTS[4])).to_be_visible(timeout=SLOW)
        server.stop()
        expect(page.get_by_role("status").get_by_text("does not answer")).to_be_visible(timeout=SLOW)
        again = Server(self.folder, pace="fast", port=int(server.url.rsplit(":", 1)[1]))
        self.addCleanup(again.stop)
        expect(page.locator("#banner")).to_be_hidden(timeout=SLOW)
        self.assertEqual(texts(page), TEXTS)
        session = page.get_by_role("link", name="Open the session")
        before = session.get_attribute("href")
        page.keyboard.press("Space")  # a session of the new server, which may be over before anybody sees "Stop"
        expect(session).not_to_have_attribute("href", before, timeout=SLOW)
        expect(page.get_by_role("button", name="Record")).to_be_visible(timeout=SLOW)
        expect(page.locator(".line")).to_have_count(len(TEXTS), timeout=SLOW)
        self.complaints = [each for each in self.complaints if "ERR_" not in each]


class Session(PageTest):
    def setUp(self):
        super().setUp()
        record(self.folder)
        self.server = self.serve()

    def open_session(self, **options):
        page = self.open(f"{self.server.url}/#/sessions", **options)
        page.locator(".entry").click()
        expect(page.locator(".word").first).to_be_visible(timeout=SLOW)
        return page

    def test_is_played_from_a_word_which_is_highlighted(self):
        page = self.open_session()
        page.locator(".word", has_text="bottle").click()
        expect(page.locator(".word.spoken")).to_have_text(re.compile("bottle|of|milk"), timeout=SLOW)
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.keyboard.press("Space")
        expect(page.locator(".record")).to_have_text("Play")
        self.shoot(page, "session")
        expect(page.get_by_role("slider")).to_have_attribute("aria-valuenow", re.compile(r"^(0\.[6-9]|[1-9])"))
        spoken = page.locator(".word.spoken").inner_text()
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".word.spoken")).not_to_have_text(spoken)

    def test_is_played_segment_after_segment(self):
        page = self.open_session()
        page.get_by_role("button", name="Play from 0:00").click()
        page.get_by_role("button", name="Speed").click()
        expect(page.locator(".line.playing .at")).to_have_text("0:03", timeout=SLOW)

    def test_is_corrected_and_its_note_with_it(self):
        page = self.open_session()
        expect(page.locator(".card")).to_contain_text("bread")
        page.get_by_role("button", name="Correct the text at 0:05").click()
        field = page.get_by_role("textbox", name="The right text")
        expect(field).to_have_value(TEXTS[2])
        field.fill("Buy <i>rye</i> bread & milk.")
        page.keyboard.press("Control+Enter")
        expect(said(page, "Buy <i>rye</i> bread & milk.")).to_be_visible(timeout=SLOW)
        expect(page.locator(".tag")).to_have_text("corrected")
        expect(page.locator(".card")).to_contain_text("<i>rye</i>", timeout=SLOW)
        page.reload()
        expect(page.locator(".line").nth(2)).to_contain_text("rye", timeout=SLOW)
        page.get_by_role("button", name="Correct the text at 0:05").click()
        page.keyboard.press("Escape")
        expect(page.get_by_role("textbox", name="The right text")).to_have_count(0)

    def test_texts_are_never_html(self):
        page = self.open_session()
        expect(said(page, TEXTS[4])).to_be_visible()
        self.assertEqual(page.locator("main b").count(), 0)

    def test_is_saved_in_each_format(self):
        page = self.open_session()
        for name, start in [
            ("Text", "Start a new"),
            ("Markdown", "#"),
            ("SRT", "1\n"),
            ("WebVTT", "WEBVTT"),
            ("JSON", "{"),
        ]:
            with page.expect_download() as download:
                page.get_by_role("link", name=name, exact=True).click()
            saved = pathlib.Path(download.value.path()).read_text(encoding="utf-8")
            self.assertTrue(saved.startswith(start), f"{name}: {saved[:40]}")

    def test_is_found_by_its_words(self):
        page = self.open_session()
        page.keyboard.press("/")
        page.keyboard.type("brea*")
        expect(page.locator("mark").first).to_have_text("bread", timeout=SLOW)
        self.shoot(page, "search")
        page.locator(".entry", has_text="Buy some").first.click()
        expect(page.locator(".line.wanted")).to_contain_text(TEXTS[2], timeout=SLOW)
        page.keyboard.press("/")
        page.keyboard.type("nothing like it")
        expect(page.get_by_text("Nothing was found")).to_be_visible(timeout=SLOW)

    def test_that_is_not_there_is_a_sentence(self):
        page = self.open(f"{self.server.url}/#/session/20200101_000000")
        expect(page.get_by_role("alert")).to_contain_text("There is no session", timeout=SLOW)
        self.complaints = [each for each in self.complaints if "404" not in each]

    def test_keys_are_not_taken_from_fields(self):
        page = self.open(self.server.url)
        page.get_by_role("searchbox").focus()
        page.keyboard.type("s p m?")
        expect(page.get_by_role("searchbox")).to_have_value("s p m?")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        self.shoot(page, "help")
        page.get_by_label("Use these keys").uncheck()
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Now").click()
        page.reload()
        expect(page.get_by_role("button", name="Record")).to_be_visible(timeout=SLOW)
        page.keyboard.press("Space")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.get_by_role("button", name="Help").click()
        page.get_by_label("Use these keys").check()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        self.assertEqual(len(list(self.server.sessions.glob("*_*"))), 1)

    def test_is_dark_where_the_system_is_and_where_it_is_chosen(self):
        ground = "getComputedStyle(document.body).backgroundColor"
        page = self.open_session(color_scheme="dark")
        dark = page.evaluate(ground)
        self.shoot(page, "session-dark")
        page.get_by_role("button", name="Switch between light and dark").click()
        light = page.evaluate(ground)
        self.assertNotEqual(dark, light)
        page.reload()
        expect(page.locator(".word").first).to_be_visible(timeout=SLOW)
        self.assertEqual(page.evaluate(ground), light)

    def test_fits_a_telephone(self):
        page = self.open(self.server.url, viewport=PHONE, has_touch=True)
        for address in ("#/", "#/sessions", "#/search?q=the", None):
            if address is None:
                page.evaluate("location.hash = '#/sessions'")
                page.locator(".entry").first.click()
                expect(page.locator(".word").first).to_be_visible(timeout=SLOW)
                self.shoot(page, "session-phone")
            else:
                page.evaluate(f"location.hash = {address!r}")
                page.locator("main h1").first.wait_for()
            width = page.evaluate("document.documentElement.scrollWidth")
            self.assertLessEqual(width, PHONE["width"], address)

    def test_has_no_serious_fault_for_people_with_a_disability(self):
        if not AXE.exists():
            self.skipTest("axe-core is not installed: npm install --prefix build/node axe-core")
        for scheme in ("light", "dark"):
            page = self.open_session(color_scheme=scheme)
            page.evaluate(AXE.read_text(encoding="utf-8"))
            for address in (None, "#/", "#/sessions", "#/search?q=brea*", "help"):
                if address == "help":
                    page.get_by_role("button", name="Help").click()
                elif address is not None:
                    page.evaluate(f"location.hash = {address!r}")
                    page.locator("main h1").first.wait_for()
                faults = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
                serious = [
                    f"{each['id']}: {each['help']}: {[node['html'] for node in each['nodes']][:3]}"
                    for each in faults
                    if each["impact"] in ("serious", "critical", "moderate")
                ]
                self.assertEqual(serious, [], f"{scheme} {address}")


class Access(PageTest):
    def test_a_token_is_asked_for_and_kept_for_the_tab(self):
        tokens = self.folder / "tokens"
        make = [BIN / "dictum", "serve", "--new-token", tokens]
        token = subprocess.run(make, check=True, capture_output=True, text=True).stdout.strip()
        record(self.folder)
        server = self.serve("--token-file", tokens, pace="fast")
        page = self.open(server.url)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=SLOW)
        self.shoot(page, "sign-in")
        page.get_by_label("Token").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("does not know the token", timeout=SLOW)
        page.get_by_label("Token").fill(token)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Record").click()
        expect(final(page, TEXTS[4])).to_be_visible(timeout=SLOW)
        page.reload()
        expect(final(page, TEXTS[4])).to_be_visible(timeout=SLOW)
        page.keyboard.press("s")
        page.locator(".entry").last.click()
        page.locator(".word", has_text="milk").click()
        expect(page.locator(".word.spoken")).to_be_visible(timeout=SLOW)
        self.assertNotIn(token, page.content())
        self.complaints = [each for each in self.complaints if "401" not in each]

    def test_a_token_opens_what_its_scopes_allow(self):
        tokens = self.folder / "tokens"
        make = [BIN / "dictum", "serve", "--new-token", tokens, "--scope", "library"]
        token = subprocess.run(make, check=True, capture_output=True, text=True).stdout.strip()
        record(self.folder)
        server = self.serve("--token-file", tokens)
        page = self.open(server.url)
        page.get_by_label("Token").fill(token)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text('scope "listen"', timeout=SLOW)
        page.get_by_role("link", name="Sessions").click()
        page.locator(".entry").click()
        page.get_by_role("button", name="Correct the text at 0:05").click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text('scope "control"', timeout=SLOW)
        self.complaints = [each for each in self.complaints if not re.search("40[13]", each)]


class BrowserMicrophone(PageTest):
    def test_is_not_offered_where_the_server_takes_none(self):
        server = self.serve()
        page = self.open(server.url)
        with contextlib.suppress(KeyError):
            page.evaluate("fetch('/openapi.json').then(r => r.json())")["paths"]["/api/v1/stream"]
            self.skipTest("this server takes microphones")
        expect(page.get_by_role("button", name="Record")).to_be_visible()
        expect(page.get_by_role("button", name="Browser microphone")).to_be_hidden()

    def test_sends_each_frame_once_though_the_connection_breaks(self):
        """Against an end of the test's own, which takes what is sent and answers as a server does."""
        server = self.serve()
        session = "20261126_120000"
        hellos, connections, frames, stops = [], [], {}, []

        def event(name, sequence, **fields):
            envelope = {"id": f"{session}/{sequence}", "event": name, "session": session, "sequence": sequence}
            return json.dumps({**envelope, "timestamp": 1e10, "frame": 0, **fields})

        def state(name, sequence):
            fields = {"state": name, "is_recording": name != "idle", "is_paused": False, "is_muted": False}
            return event("RecordingStateChanged", sequence, **fields)

        def take(socket):
            connections.append(socket)

            def on_message(message):
                if isinstance(message, bytes):
                    first, samples = int.from_bytes(message[:8], "little"), (len(message) - 8) // 4
                    for frame in range(first, first + samples):
                        frames[frame] = frames.get(frame, 0) + 1
                    if len(connections) == 1 and len(frames) > 20_000:
                        socket.close(code=1011)
                    return
                message = json.loads(message)
                if message["type"] == "stop":
                    stops.append(len(frames))
                    socket.send(state("idle", 3))
                    socket.send(json.dumps({"type": "ended", "session": session, "frames": len(frames)}))
                    return
                hellos.append(message)
                welcome = {"type": "welcome", "session": session, "token": "t", "received": len(frames)}
                socket.send(json.dumps(welcome))
                if len(hellos) == 1:
                    socket.send(state("recording", 0))
                    socket.send(event("SpeechDetected", 1, segment_index=0))
                    said = {"text": "From the browser.", "success": True, "error": None, "revision": 0}
                    socket.send(event("TranscriptionComplete", 2, segment_index=0, **said))

            socket.on_message(on_message)

        context = self.browser.new_context(viewport=DESKTOP)
        self.addCleanup(context.close)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route_web_socket(re.compile("/api/v1/stream"), take)
        page.route("**/openapi.json", lambda route: route.fulfill(json={"paths": {"/api/v1/stream": {}}}))
        page.goto(server.url)
        page.get_by_role("button", name="Browser microphone").click()
        expect(said(page, "From the browser.")).to_be_visible(timeout=SLOW)
        while len(hellos) < 2 or len(frames) < 60_000:
            page.wait_for_timeout(50)
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_role("button", name="Browser microphone")).to_be_visible(timeout=SLOW)
        expect(said(page, "From the browser.")).to_be_visible()
        new, resumed = hellos
        self.assertEqual((new["type"], new["format"], new["channels"]), ("hello", "f32", 1))
        self.assertEqual((resumed["resume"], resumed["after"]), ("t", f"{session}/2"))
        self.assertEqual(sorted(frames), list(range(len(frames))))
        self.assertEqual(set(frames.values()), {1})
        self.assertEqual(stops, [len(frames)])

    def test_makes_a_session_of_its_own(self):
        server = self.serve()
        page = self.open(server.url)
        if "/api/v1/stream" not in page.evaluate("fetch('/openapi.json').then(r => r.json())")["paths"]:
            self.skipTest("this server takes no microphones")
        page.get_by_role("button", name="Browser microphone").click()
        expect(final(page, TEXTS[1])).to_be_visible(timeout=SLOW)
        self.shoot(page, "browser-microphone")
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_role("button", name="Browser microphone")).to_be_visible(timeout=SLOW)
        self.assertGreaterEqual(len(server.journal("TranscriptionComplete")), 2)
        self.assertEqual(server.journal("AudioGap"), [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
