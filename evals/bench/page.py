"""How the page behaves in a real browser: weight, first paint, first source, long streams, long conversations.

The service is the real one on loopback; long streams and conversations come from a small server of this file, since no
model writes 10,000 tokens to order. Everything is measured by the browser itself.
"""

from __future__ import annotations

import shutil
import statistics

from playwright.async_api import Browser, Page, async_playwright

from evals.bench import long_things
from evals.bench.clock import figure
from evals.bench.serving import RunningService

_OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_TOKENS = 10_000
_TURNS = 500
_RUNS = 5
_WEIGHT = """() => performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
  .reduce((sum, entry) => sum + entry.transferSize, 0)"""
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_WATCH_SOURCE = """() => new Promise((resolve) => {
  const box = document.getElementById('m-question');
  box.value = 'How do I call a blocking library from async code?';
  box.dispatchEvent(new Event('input', { bubbles: true }));
  const begun = performance.now();
  new MutationObserver((_, watching) => {
    if (!document.querySelector('.reading-list li')) return;
    watching.disconnect();
    resolve(performance.now() - begun);
  }).observe(document.getElementById('m-thread'), { childList: true, subtree: true });
  document.getElementById('m-composer').requestSubmit();
})"""
_WATCH_FRAMES = """() => {
  window.frames_ = [];
  let last = performance.now();
  const tick = (now) => { window.frames_.push(now - last); last = now; window.watching = requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  window.own = 0;
  new PerformanceObserver((list) => {
    for (const frame of list.getEntries()) {
      const scripts = frame.scripts.reduce((sum, script) => sum + script.duration, 0);
      const painting = frame.styleAndLayoutStart ? frame.startTime + frame.duration - frame.styleAndLayoutStart : 0;
      window.own = Math.max(window.own, scripts + painting);
    }
  }).observe({ type: 'long-animation-frame' });
}"""
"""Every frame's length, and what the page itself did in those over 50 ms: on a busy machine others make frames late."""
_SEARCH = """async () => {
  const base = document.querySelector('script[type=module]').src.replace('app.js', 'chapter_search.js');
  const { entriesOf, found } = await import(base);
  const rows = Array.from({ length: 96 }, (_, n) => [`s/${n}.md`, `Chapter ${n} on pooling`, 'Section',
    Array.from({ length: 40 }, (_, h) => [`Heading ${h} about connection limits and sizes`, `h${h}`])]);
  const entries = entriesOf(rows);
  const times = ['c', 'con', 'connection l', 'pool size 3', 'heading 39 conn'].map((query) => {
    const begun = performance.now();
    found(entries, query);
    return performance.now() - begun;
  });
  return Math.max(...times);
}"""


async def measure(service: RunningService) -> None:
    """Print the figures of the page; says so where there is no browser."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        figure("page", "not measured: Chromium is not installed (make browser)")
        return
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_OPTIONS)
        await _loading(browser, f"http://127.0.0.1:{service.port}")
        async with long_things.serving(_TOKENS, _TURNS) as port:
            await _streaming(browser, f"http://127.0.0.1:{service.port}", port)
            await _long_conversation(browser, f"http://127.0.0.1:{service.port}", port)
        await browser.close()


async def _loading(browser: Browser, address: str) -> None:
    weights, paints, sources = [], [], []
    for _ in range(_RUNS):
        page = await _opened(browser, address)
        weights.append(await page.evaluate(_WEIGHT))
        paints.append(await page.evaluate(_PAINT))
        sources.append(await page.evaluate(_WATCH_SOURCE))
        await page.context.close()
    page = await _opened(browser, address)
    figure("page, everything a first visit loads", f"{max(weights) / 1000:.0f} KB compressed", "<= 120 KB")
    figure("first contentful paint", f"median {statistics.median(paints):.0f} ms of {_RUNS}", "<= 500 ms")
    figure("first source after Enter", f"median {statistics.median(sources):.0f} ms of {_RUNS}", "<= 150 ms")
    figure(
        "search as one types, 96 chapters of 40 headings", f"slowest {await page.evaluate(_SEARCH):.1f} ms", "<= 50 ms"
    )
    await page.context.close()


async def _streaming(browser: Browser, address: str, port: int) -> None:
    page = await _opened(browser, address)
    await page.route("**/api/ask", lambda route: route.continue_(url=f"http://127.0.0.1:{port}/stream"))
    await page.evaluate(_WATCH_FRAMES)
    await page.fill("#m-question", "Write ten thousand words")
    await page.press("#m-question", "Enter")
    await page.wait_for_selector(".exchange .actions", timeout=120_000)
    frames = sorted(await page.evaluate("window.frames_"))
    late, own = sum(frame > 50 for frame in frames), await page.evaluate("window.own")
    p99, longest = frames[int(0.99 * len(frames))], frames[-1]
    figure(
        f"{_TOKENS:,} streamed tokens",
        f"p99 {p99:.0f} ms, longest {longest:.0f} ms, {late} of {len(frames)} over 50 ms; own work <= {own:.0f} ms",
        "none over 50 ms",
    )
    await page.context.close()


async def _long_conversation(browser: Browser, address: str, port: int) -> None:
    page = await _opened(browser, address)
    await page.route("**/api/conversations/long", lambda route: route.continue_(url=f"http://127.0.0.1:{port}/long"))
    await page.goto(f"{address}/c/long")
    await page.wait_for_selector(".exchange .actions")
    taken = await page.evaluate("performance.now()")
    figure(f"a conversation of {_TURNS} turns opens", f"{taken:.0f} ms after navigation", "<= 1 s")
    await page.context.close()


async def _opened(browser: Browser, address: str) -> Page:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_selector("html[data-ready]", state="attached")
    return page
