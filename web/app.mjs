// The page: which view is shown, the keys, and what all views share.

import { getJSON, getStatus, token } from "./api.mjs";
import { keep, kept } from "./choices.mjs";
import { icon } from "./dom.mjs";
import { Microphone } from "./microphone.mjs";
import { nowView } from "./now_view.mjs";
import { Recorder } from "./recorder.mjs";
import { searchView } from "./search_view.mjs";
import { sessionView } from "./session_view.mjs";
import { sessionsView } from "./sessions_view.mjs";
import { signInView } from "./sign_in_view.mjs";
import { switchTheme } from "./theme.mjs";

const NO_KEYS = "dictum-no-keys";

const main = document.querySelector("#main");
const banner = document.querySelector("#banner");
const spoken = document.querySelector("#spoken");
const searchForm = document.querySelector("#search");
const searchField = searchForm.elements.q;
const helpBox = document.querySelector("#helpbox");

const recorder = new Recorder();
const microphone = new Microphone();
let view = null;
let dock = null;
let page = ""; // the address of the view, without what it can follow by itself
let isFirst = true;

/** Says a text to a screen reader, once it has said what it is saying. */
function announce(text) {
  const line = document.createElement("p");
  line.textContent = text;
  spoken.append(line);
  while (spoken.childElementCount > 5) spoken.firstElementChild.remove();
}

function open(next, nextPage) {
  view?.close();
  dock?.remove();
  view = next;
  page = nextPage;
  dock = view.dock ?? null;
  main.replaceChildren(view.element);
  if (dock) main.after(dock);
  document.body.classList.toggle("hasdock", dock !== null);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.page === nextPage) link.setAttribute("aria-current", "page");
    else if (link.dataset.page === `${nextPage}s`) link.setAttribute("aria-current", "true"); // a session is of the sessions
    else link.removeAttribute("aria-current");
  }
  if (nextPage !== "now") document.title = `${view.title} – Dictum`;
  scrollTo(0, 0);
  if (view.focus) view.focus.focus();
  else if (!isFirst && document.activeElement !== searchField) main.focus({ preventScroll: true });
  isFirst = false;
}

function show() {
  const [path, text] = location.hash.replace(/^#\/?/, "").split("?", 2);
  const query = new URLSearchParams(text ?? "");
  const [kind, name] = path.split("/");
  if (kind === "search") {
    const q = query.get("q") ?? "";
    if (document.activeElement !== searchField) searchField.value = q;
    if (page === "search") view.update(query);
    else open(searchView({ query }), "search");
    return;
  }
  searchField.value = "";
  if (kind === "sessions") open(sessionsView(), "sessions");
  else if (kind === "session" && name) open(sessionView({ name, query, announce }), "session");
  else open(nowView({ recorder, microphone }), "now");
}

// Who may use it

function signIn(problem) {
  if (page === "signin") return;
  token.clear();
  recorder.disconnect();
  open(signInView({ problem, onToken: begin }), "signin");
}

async function begin() {
  page = "";
  banner.hidden = true;
  try {
    await getStatus();
  } catch (error) {
    if (error.status === 401) return signIn(error);
    // The rest is shown by the view, and by the banner.
  }
  recorder.connect();
  microphone.offer(await getJSON("/openapi.json").catch(() => ({})));
  return show();
}

document.addEventListener("sign-in", (event) => signIn(event.detail));
recorder.addEventListener("text", ({ detail }) => announce(detail));
microphone.addEventListener("text", ({ detail }) => announce(detail));
recorder.addEventListener("connection", () => {
  banner.hidden = recorder.isConnected !== false;
  banner.textContent = recorder.isConnected === false
    ? "The server does not answer. What is recorded there goes on; this page follows it again as soon as it can." : "";
});

// Search

searchForm.addEventListener("submit", (event) => {
  event.preventDefault();
  goToSearch();
});
searchField.addEventListener("input", () => searchField.value !== "" && goToSearch());

function goToSearch() {
  const address = `#/search?${new URLSearchParams({ q: searchField.value })}`;
  if (page === "search") {
    history.replaceState(null, "", address);
    show();
  } else {
    location.hash = address;
  }
}

// Keys

const helpButton = document.querySelector("#help");
const closeHelp = document.querySelector("#helpclose");
closeHelp.append(icon("close"));
closeHelp.addEventListener("click", () => helpBox.close());
helpButton.addEventListener("click", () => helpBox.showModal());
helpBox.addEventListener("click", (event) => event.target === helpBox && helpBox.close());
// Keys of one letter are in the way of those who speak to their browser, or whose screen reader has its own.
const useKeys = document.querySelector("#usekeys");
useKeys.checked = kept(NO_KEYS) === null;
useKeys.addEventListener("change", () => keep(NO_KEYS, useKeys.checked ? null : "yes"));
const themeButton = document.querySelector("#theme");
themeButton.append(icon("theme"));
themeButton.addEventListener("click", switchTheme);

const keys = {
  "/": () => searchField.focus(),
  "?": () => helpBox.showModal(),
  n: () => { location.hash = "#/"; },
  s: () => { location.hash = "#/sessions"; },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || helpBox.open || event.repeat || !useKeys.checked) return;
  const { target } = event;
  if (target.matches("input, textarea, select")) {
    if (event.key === "Escape" && target === searchField) target.blur();
    return;
  }
  // A button and a link have uses of their own for the space bar and for Enter.
  if (event.key === " " && target.closest("button, a, summary")) return;
  const act = view?.keys?.[event.key] ?? keys[event.key];
  if (!act || page === "signin") return;
  event.preventDefault();
  act();
});

addEventListener("hashchange", () => page !== "signin" && show());
begin();
