// Starts the page: makes its parts, tells them of each other, and shows the place that the address names.
import { announcer } from "./announcer.js";
import { AskPlace } from "./ask_place.js";
import { connectionBanner } from "./connection.js";
import { Conversations } from "./conversations.js";
import { Reader } from "./reader.js";
import { Router, placeAt } from "./router.js";
import { SearchSheet } from "./search_sheet.js";
import { askAboutSelection } from "./selection.js";
import { shortcutKeys } from "./shortcuts.js";
import { otherTabs } from "./tabs.js";
import { themeSwitch } from "./theme_switch.js";
import { showUsage } from "./usage.js";

const NAME = "Backend Mastery";
const at = (id) => document.getElementById(id);

const say = announcer(at("m-announcer"));
const router = new Router(show);
const reader = new Reader(say);
const tell = otherTabs(({ conversation }) => {
  if (conversation && conversation === ask.thread.conversation && !ask.thread.isBusy)
    ask.openConversation(conversation, true);
});
const ask = new AskPlace({
  say,
  titled,
  go: (address) => router.go(address),
  rename: (address) => router.rename(address),
  changed: (conversation) => tell({ conversation }),
});
const conversations = new Conversations({
  say,
  current: () => ask.thread.conversation,
  changed: (conversation) => tell({ conversation }),
  gone: (id) => id === ask.thread.conversation && router.go("/"),
});
const search = new SearchSheet(
  (address) => router.go(address),
  (question) => ask.ask(question),
);
const askSelected = askAboutSelection((passage) => ask.askAbout(passage));
const nextTheme = themeSwitch(at("m-theme"), say);

const openHelp = shortcutKeys(
  [
    { key: "/", words: "Search chapters and headings", act: () => search.open() },
    { key: "n", words: "New conversation", act: startAnew },
    { key: "i", words: "Write a question", act: () => (view() === "ask" ? ask.composer.focus() : router.go("/")) },
    { key: "c", words: "Conversations", act: () => conversations.open() },
    { key: "r", words: "Read", act: () => router.go("/read") },
    { key: "u", words: "Usage", act: () => router.go("/usage") },
    { key: "j", words: "Next question", act: () => step(1) },
    { key: "k", words: "Previous question", act: () => step(-1) },
    { key: "q", words: "Ask about the selected passage, or about this chapter", act: askHere },
    { key: "t", words: "Theme: system, light, dark", act: nextTheme },
  ],
  escape,
);

at("m-search-open").addEventListener("click", () => search.open());
at("m-conversations-open").addEventListener("click", () => conversations.open());
at("m-help-open").addEventListener("click", openHelp);
at("m-question").addEventListener("keydown", (event) => {
  const last = event.key === "ArrowUp" && !ask.composer.text && ask.thread.lastQuestion;
  if (!last) return;
  event.preventDefault();
  ask.composer.text = last;
});
document.addEventListener("click", (event) => event.target.closest("[data-new]") && ask.clear(), { capture: true });
connectionBanner(at("m-offline"));
let askedAt = 0;
show(placeAt(new URL(location.href)) ?? { name: "ask" }, new URL(location.href), "start");
document.documentElement.dataset.ready = "";

async function show(place, url, moved) {
  const showing = { read: "read", usage: "usage" }[place.name] ?? "ask";
  const before = view();
  const comingBack = showing === "ask" && before !== "ask";
  if (before === "ask" && showing !== "ask") askedAt = scrollY;
  document.documentElement.dataset.view = showing;
  for (const name of ["ask", "read", "usage"]) at(`m-view-${name}`).hidden = name !== showing;
  for (const link of document.querySelectorAll(".places a")) {
    if (link.dataset.place === showing) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const { conversation } = ask.thread;
  document.querySelector("[data-place=ask]").href =
    conversation && showing !== "ask" ? `/c/${encodeURIComponent(conversation)}` : "/";
  if (showing !== "ask") ask.pane.close();
  if (moved === "link" && before !== showing) at("m-main").focus({ preventScroll: true });
  if (place.name === "read") titled(await reader.open(url));
  if (place.name === "usage") {
    titled("Usage");
    scrollTo({ top: 0, behavior: "instant" });
    await showUsage(at("m-view-usage"), say);
  }
  if (place.name === "conversation") await ask.openConversation(place.id);
  if (place.name === "answer") await ask.openAnswer(place.id);
  if (place.name === "ask") await ask.begin(url, comingBack);
  if (comingBack && !ask.thread.isEmpty) scrollTo({ top: askedAt, behavior: "instant" });
}

function startAnew() {
  ask.clear();
  return router.go("/");
}

function titled(title) {
  document.title = title === NAME ? NAME : `${title} · ${NAME}`;
}

function view() {
  return document.documentElement.dataset.view;
}

function escape() {
  if (ask.pane.isOpen) ask.pane.close();
  else if (ask.thread.isBusy) ask.thread.stop();
  else return false;
  return true;
}

function askHere() {
  if (askSelected()) return;
  if (view() === "read" && reader.chapter) router.go(`/?chapter=${encodeURIComponent(reader.chapter)}`);
}

function step(by) {
  const questions = [...document.querySelectorAll(".question")];
  if (view() !== "ask" || !questions.length) return;
  const here = questions.findLastIndex((question) => question.getBoundingClientRect().top < 120);
  const next = questions[Math.max(0, Math.min(questions.length - 1, here + by))];
  next.scrollIntoView({ block: "start" });
  next.focus({ preventScroll: true });
}
