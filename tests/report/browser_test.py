#!/usr/bin/env python3
"""The HTML reports in a real browser (headless Chromium): they fit on a telephone and on a desk, print,
are readable in the dark, load nothing and run nothing. The pages are golden files, which
tests/report/reports_test.cc holds the program to; so are the XML ones, which are read here as well."""

import base64
import pathlib
import re
import sys
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support/report"))
from browser import Browser  # noqa: E402

PAGES = sorted((ROOT / "tests/golden/report").glob("report_*.html"))
XML = sorted((ROOT / "tests/golden/report").glob("report_*.xml"))

# What stands out of the page, with the first words of it.
OVERFLOW = """[...document.querySelectorAll('body *')].filter(e =>
  e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5 || e.scrollWidth > e.clientWidth + 1
    && !['inline', 'table-row', 'table-row-group'].includes(getComputedStyle(e).display) && !e.closest('svg'))
  .map(e => e.tagName + ' ' + e.className + ' ' + e.textContent.slice(0, 60))"""

# The lowest contrast between a text and what is behind it (WCAG's formula), and which text it is.
CONTRAST = """(() => {
  const parts = c => c.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = [99, ''];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || e.closest('style')) continue;
    const style = getComputedStyle(e);
    const a = light(parts(e.closest('svg') ? style.fill : style.color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < worst[0]) worst = [ratio, walk.currentNode.data.slice(0, 60)];
  }
  return worst;
})()"""


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def each(self, check, width=1400, scheme="light"):
        """Opens each page and hands its path to `check`."""
        self.assertGreaterEqual(len(PAGES), 4)
        for page in PAGES:
            with self.subTest(page=page.name, width=width, scheme=scheme):
                self.browser.open(page.as_uri(), width, scheme)
                check(page)

    def test_fit_at_any_width(self):
        for width in (375, 760, 761, 1440):
            def check(_):
                wide = self.browser.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                self.assertLessEqual(wide, 0)
                self.assertEqual(self.browser.value(OVERFLOW), [])

            self.each(check, width)

    def test_the_test_of_fitting_can_fail(self):
        self.browser.open("data:text/html,<div style='width:900px'>wide</div>", 400)
        self.assertGreater(self.browser.value("document.documentElement.scrollWidth"), 400)
        self.assertEqual(len(self.browser.value(OVERFLOW)), 1)

    def test_are_readable_in_both_schemes(self):
        grounds = set()
        for scheme in ("light", "dark"):
            def check(_):
                ratio, text = self.browser.value(CONTRAST)
                self.assertGreaterEqual(ratio, 4.5, text)
                grounds.add(self.browser.value("getComputedStyle(document.body).backgroundColor"))

            self.each(check, scheme=scheme)
        self.assertEqual(len(grounds), 2)

    def test_paper_is_white_and_shows_all(self):
        def check(_):
            shown = self.browser.value("document.querySelectorAll('section').length")
            self.browser.call("Emulation.setEmulatedMedia", media="print",
                              features=[{"name": "prefers-color-scheme", "value": "dark"}])
            self.assertEqual(self.browser.value("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
            self.assertEqual(self.browser.value(
                "[...document.querySelectorAll('section')].filter(s => s.getBoundingClientRect().height > 0).length"), shown)
            self.assertEqual(self.browser.value(
                "[...document.querySelectorAll('pre')].filter(p => p.scrollHeight > p.clientHeight + 1).length"), 0)
            self.assertGreaterEqual(self.browser.value(CONTRAST)[0], 4.5)
            self.assertEqual(self.browser.value(OVERFLOW), [])
            self.browser.call("Emulation.setEmulatedMedia", media="")

        self.each(check, width=680, scheme="dark")  # A4 within its margins

    def test_of_a_long_output_the_end_is_in_sight_and_the_rest_opens(self):
        page = next(page for page in PAGES if page.stem == "report_failed")
        self.browser.open(page.as_uri())
        seen = "document.body.innerText.split('\\n').filter(line => line.startsWith('Rebasing')).length"
        self.assertEqual(self.browser.value(seen), 11)
        self.assertTrue(self.browser.value("document.body.innerText.includes('error: could not apply 4d5e6f')"))
        self.browser.value("document.querySelector('summary').click()")
        self.assertEqual(self.browser.value(seen), 60)

    def test_update_code_is_two_pages_on_paper(self):
        for stem in ("report_success", "report_failed"):
            page = next(page for page in PAGES if page.stem == stem)
            self.browser.open(page.as_uri())
            pdf = base64.b64decode(self.browser.call("Page.printToPDF", preferCSSPageSize=True)["data"])
            self.assertLessEqual(len(re.findall(rb"/Type\s*/Page\b", pdf)), 2, stem)

    def test_print_to_pdf(self):
        def check(_):
            pdf = base64.b64decode(self.browser.call("Page.printToPDF", printBackground=False)["data"])
            self.assertTrue(pdf.startswith(b"%PDF-"))
            self.assertGreater(len(pdf), 10_000)
            self.assertGreaterEqual(len(re.findall(rb"/Type\s*/Page\b", pdf)), 1)

        self.each(check)

    def test_load_and_run_nothing(self):
        def check(page):
            requests = [event["params"]["request"]["url"] for event in self.browser.events
                        if event["method"] == "Network.requestWillBeSent"]
            self.assertEqual(requests, [page.as_uri()])
            # A policy that was broken, a script that failed: each would be an entry of the log.
            self.assertEqual([event["params"] for event in self.browser.events
                              if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")], [])
            self.assertEqual(self.browser.value("document.querySelectorAll('script, img, iframe, object, link, form').length"), 0)
            self.assertNotEqual(self.browser.value("document.title"), "owned")
            # The style is the one that the policy names, and it is used.
            self.assertEqual(self.browser.value("document.styleSheets.length"), 1)
            self.assertEqual(self.browser.value("getComputedStyle(document.querySelector('dl')).display"), "grid")
            self.assertNotEqual(self.browser.value("getComputedStyle(document.querySelector('.verdict')).borderLeftWidth"), "0px")

        self.each(check)

    def test_every_link_leads_somewhere(self):
        def check(_):
            self.assertEqual(self.browser.value(
                "[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))"
                ".filter(h => !h.startsWith('#') || !document.getElementById(h.slice(1)))"), [])

        self.each(check)

    def test_the_policy_stops_what_escaping_would_have_missed(self):
        page = next(page for page in PAGES if page.stem == "report_hostile").read_text(encoding="utf-8")
        broken = page.replace("<main>", "<main><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">")
        self.assertNotEqual(page, broken)
        self.browser.open("data:text/html;base64," + base64.b64encode(broken.encode()).decode())
        self.assertNotEqual(self.browser.value("document.title"), "owned")
        self.assertTrue([e for e in self.browser.events if e["method"] == "Log.entryAdded"])


class Xml(unittest.TestCase):
    def test_counts_are_those_of_the_cases(self):
        self.assertGreaterEqual(len(XML), 3)
        for path in XML:
            with self.subTest(path=path.name):
                root = xml.etree.ElementTree.parse(path).getroot()
                for suite in [root, *root.findall("testsuite")]:
                    for count, element in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                        self.assertEqual(int(suite.get(count)), len(list(suite.iter(element))), (suite.get("name"), count))


if __name__ == "__main__":
    unittest.main()
