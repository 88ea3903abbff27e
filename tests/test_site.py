"""The documentation in a browser: links, console, pictures, search, and a phone's width.

`make test-docs` builds the site and runs this, in the environment that has Selenium. The browser is
Debian's: apt-get install chromium chromium-driver.
"""

import functools
import http.server
import shutil
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

pytest.importorskip("selenium", reason="Selenium is not installed: make test-docs has it")
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SITE = Path(__file__).parents[1] / "build/docs/html"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = [
    "--headless",
    "--no-sandbox",  # containers run it as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
if not (SITE / "index.html").exists():
    pytest.skip("The site is not built: make docs builds it", allow_module_level=True)

PAGES = sorted(
    str(path.relative_to(SITE)) for path in SITE.rglob("*.html") if "_static" not in path.parts
)
EXAMPLES = sorted(path.stem for path in (SITE.parents[2] / "examples").glob("*.py"))
in_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="Chromium is not installed: apt-get install chromium chromium-driver",
)


class Page(HTMLParser):
    """What a page links to, and what may be linked to in it."""

    def __init__(self, path):
        super().__init__()
        self.links, self.names = [], {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.names.update(known[key] for key in ("id", "name") if known.get(key))
        self.links += [known[key] for key in ("href", "src") if known.get(key)]


@functools.cache
def page(name):
    return Page(SITE / name)


@pytest.fixture(scope="module")
def address():
    """Serve the site on a free port."""
    handler = functools.partial(QuietHandler, directory=SITE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('chromium')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def resize(browser, width, height=900):
    """Give the page itself a width: a headless window has a least one of 500."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_broken_links(name):
    broken = []
    for link in page(name).links:
        target, anchor = urldefrag(urljoin(name, link))
        if urlsplit(target).scheme or target.startswith("//"):  # elsewhere, or data
            continue
        path = unquote(urlsplit(target).path)
        if not (SITE / path).is_file() or (
            path.endswith(".html") and unquote(anchor) not in page(path).names
        ):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_nothing_from_elsewhere(name):
    source = (SITE / name).read_text(encoding="utf-8")
    for start in ('src="http', "src='http", 'rel="stylesheet" href="http', 'src="//'):
        assert start not in source


@in_browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_errors_and_all_its_pictures_and_fits_a_phone(name, browser, address):
    resize(browser, 1200)
    browser.get(f"{address}/{name}")
    pictures = """return Array.from(document.querySelectorAll(".bd-content img")).map(
        image => { image.loading = "eager";
                   return image.decode().then(() => null, () => image.src); })"""
    failed = browser.execute_async_script(
        f"const done = arguments[0]; Promise.all((() => {{ {pictures} }})()).then(done)"
    )
    assert not [source for source in failed if source]
    hidden = browser.execute_script(
        """return Array.from(document.querySelectorAll(".bd-content img.sphx-glr-single-img, "
        + ".sphx-glr-thumbcontainer img")).filter(image => !(image.naturalWidth > 0
        && image.getBoundingClientRect().width > 0)).map(image => image.src)"""
    )
    assert not hidden

    resize(browser, 400)
    # What does not fit may scroll by itself, but the page must not, and no text be cut off.
    wide = browser.execute_script(
        """const scrolls = element => element && !element.matches(".bd-article") &&
            (["auto", "scroll"].includes(getComputedStyle(element).overflowX)
             || scrolls(element.parentElement));
        const texts = ".bd-article :is(p, li, dt, dd, h1, h2, h3, img)";
        return Array.from(document.querySelectorAll(texts)).filter(element =>
            element.getBoundingClientRect().right > document.documentElement.clientWidth + 1
            && !scrolls(element)
        ).map(element => element.outerHTML.slice(0, 100))"""
    )
    assert not wide
    assert browser.execute_script(
        "return document.documentElement.scrollWidth <= window.innerWidth"
    )
    # Text keeps a size that can be read.
    size = browser.execute_script(
        """const text = document.querySelector(".bd-article p");
        return text ? parseFloat(getComputedStyle(text).fontSize) : 16"""
    )
    assert size >= 14
    assert not [
        entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")
    ]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_ends_in_a_picture_and_shows_no_checks(example):
    source = (SITE / f"gallery/{example}.html").read_text(encoding="utf-8")
    code, picture = source.rfind("plt.show()"), source.rfind("sphx-glr-single-img")
    assert picture > source.rfind('class="highlight-Python') or picture > 0
    assert "sphinx_gallery_start_ignore" not in source
    assert "assert " not in source[code:]
    assert f"sphx_glr_{example}_001" in source


@in_browser
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param("impute", "guide/missing.html", id="a page of the guide"),
        pytest.param("GridSearchCV", "gallery/search.html", id="an example"),
        pytest.param("reconstruction_error", "generated/", id="the API"),
    ],
)
def test_the_search_finds(asked, found, browser, address):
    resize(browser, 1200)
    browser.get(f"{address}/search.html?q={asked}")
    links = WebDriverWait(browser, 60).until(
        lambda browser: browser.find_elements(By.CSS_SELECTOR, "#search-results li a")
    )
    WebDriverWait(browser, 60).until(
        lambda browser: any(
            found in link.get_attribute("href")
            for link in browser.find_elements(By.CSS_SELECTOR, "#search-results li a")
        )
    )
    assert links


@in_browser
def test_dark_and_light_can_be_chosen(browser, address):
    resize(browser, 1200)
    browser.get(f"{address}/index.html")
    for mode in ("dark", "light"):
        browser.find_element(By.CSS_SELECTOR, "button.theme-switch-button").click()
        chosen = f"button.theme-change-button[data-mode={mode}]"
        WebDriverWait(browser, 20).until(
            lambda browser, chosen=chosen: browser.find_element(
                By.CSS_SELECTOR, chosen
            ).is_displayed()
        )
        browser.find_element(By.CSS_SELECTOR, chosen).click()
        assert browser.execute_script("return document.documentElement.dataset.theme") == mode


@in_browser
def test_the_menu_opens_on_a_phone(browser, address):
    resize(browser, 400)
    browser.get(f"{address}/guide/start.html")
    browser.find_element(By.CSS_SELECTOR, "button.primary-toggle").click()
    link = WebDriverWait(browser, 20).until(
        lambda browser: next(
            (
                link
                for link in browser.find_elements(By.PARTIAL_LINK_TEXT, "Clustering")
                if link.is_displayed()
            ),
            None,
        )
    )
    assert link.get_attribute("href").endswith("guide/clustering.html")
