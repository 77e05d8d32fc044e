"""The built site as a reader sees it: names, search, pictures, copy buttons, dark mode."""

import re
from pathlib import Path

import pytest

from tests.docs.public import names

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [p for p in (ROOT / "examples").rglob("*.py") if p.name != "gallery.py"]
PROGRAMS = [p for p in EXAMPLES if "if __name__ ==" in p.read_text(encoding="utf-8")]
BUILT = ("_build", "_static", "gallery")
WRITTEN = [p.relative_to(ROOT / "docs") for p in (ROOT / "docs").rglob("*.md")]
PAGES = sorted(p.with_suffix(".html").as_posix() for p in WRITTEN if p.parts[0] not in BUILT)
PAGES += sorted(
    "gallery" + p.as_posix().partition("/examples")[2].replace(".py", ".html") for p in PROGRAMS
)
PAGES += ["gallery/index.html", "reference/api/names/sgsolve.Problem.html"]
BROKEN = """return [...document.images]
    .filter(i => !(i.complete && i.naturalWidth > 0)).map(i => i.src)"""


def wait(browser, condition, seconds=30):
    """Wait for a condition of the page and return its value."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, seconds).until(condition)


def test_every_public_name_has_a_page(site):
    pages = {path.stem for path in (site / "reference/api/names").glob("*.html")}
    assert pages == set(names())


def test_every_method_of_problem_is_described(site):
    from sgsolve import Problem

    page = (site / "reference/api/names/sgsolve.Problem.html").read_text(encoding="utf-8")
    described = set(re.findall(r'id="sgsolve\.Problem\.(\w+)"', page))
    public = {n for n in dir(Problem) if not n.startswith("_") and callable(getattr(Problem, n))}
    assert public <= described


def test_no_page_needs_the_network(site):
    loaded = re.compile(r'<(?:script|img|link)[^>]*(?:src|href)="(https?:)?//[^"]*"')
    for page in site.rglob("*.html"):
        found = loaded.search(page.read_text(encoding="utf-8"))
        assert found is None, (page, found)


def test_every_page_is_reached_from_the_first_one(site):
    """By the links of the built pages: tabs, tables of contents, text."""
    links = re.compile(r'href="([^"#:]+\.html)')
    reached, queue = set(), ["index.html"]
    while queue:
        page = queue.pop()
        if page in reached:
            continue
        reached.add(page)
        text = (site / page).read_text(encoding="utf-8")
        targets = ((site / page).parent / link for link in set(links.findall(text)))
        queue += [target.resolve().relative_to(site).as_posix() for target in targets]
    assert set(PAGES) <= reached


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_without_errors(browser, address, page):
    browser.get_log("browser")
    browser.get(f"{address}/{page}")
    browser.execute_script("for (const i of document.images) i.loading = 'eager'")
    wait(browser, lambda b: b.execute_script("return [...document.images].every(i => i.complete)"))
    assert browser.execute_script(BROKEN) == []
    assert [e for e in browser.get_log("browser") if e["level"] in ("SEVERE", "WARNING")] == []


def test_the_gallery_shows_a_picture_for_every_program(browser, address):
    browser.get(f"{address}/gallery/index.html")
    shown = browser.find_elements("css selector", ".sphx-glr-thumbcontainer img")
    assert len(shown) == len(PROGRAMS)
    assert all("no_image" not in image.get_attribute("src") for image in shown)


def test_search_finds_a_method(browser, address):
    browser.get(f"{address}/search.html?q=Problem.sweep")
    links = wait(browser, lambda b: b.find_elements("css selector", "#search-results li a"))[:3]
    found = [link.get_attribute("href") for link in links]
    assert any(one.endswith("sgsolve.Problem.html#sgsolve.Problem.sweep") for one in found), found


def test_a_code_block_is_copied(browser, address):
    from selenium import webdriver

    permissions = {"origin": address, "permissions": ["clipboardReadWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    browser.get(f"{address}/start/residuals.html")
    button = wait(browser, lambda b: b.find_elements("css selector", "button.copybtn"))[0]
    actions = webdriver.ActionChains(browser)
    actions.move_to_element(button.find_element("xpath", "..")).move_to_element(button)
    actions.click().perform()
    wait(browser, lambda b: "success" in button.get_attribute("class"))
    copied = browser.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0], e => arguments[0](String(e)))"
    )
    assert copied.startswith("import math\nimport numpy as np\nfrom sgsolve import Problem, ad\n")


def test_dark_mode_switches(browser, address):
    browser.get(f"{address}/index.html")

    header = browser.find_element("css selector", "header .theme-switch-container")
    background = "return getComputedStyle(document.body).backgroundColor"

    def brightness(mode):
        header.find_element("css selector", ".theme-switch-button").click()
        choice = header.find_element("css selector", f".theme-change-button[data-mode={mode}]")
        wait(browser, lambda b: choice.is_displayed())
        choice.click()
        wait(browser, lambda b: not b.execute_script("return document.getAnimations().length"))
        return sum(map(int, re.findall(r"\d+", browser.execute_script(background))[:3]))

    assert brightness("dark") < 200
    assert brightness("light") > 600


def test_formulas_are_drawn(browser, address):
    browser.get(f"{address}/about/contributing.html")
    drawn = wait(browser, lambda b: b.find_elements("css selector", "article mjx-container"))
    assert len(drawn) == 2


def test_no_page_shows_a_path_of_the_machine_that_built_it(site):
    root = str(ROOT)
    for page in site.rglob("*.html"):
        assert root not in page.read_text(encoding="utf-8"), page
