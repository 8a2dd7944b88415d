// What was said, found.

import { getJSON } from "./api.mjs";
import { h, problemBox } from "./dom.mjs";
import { clock, count, dayAndTime, markedPieces } from "./text.mjs";

const LIMIT = 100;
const WAIT_MS = 150; // for the next key

export function searchView({ query }) {
  const heading = h("h1", {}, "Search");
  const state = h("p", { class: "quiet", role: "status" });
  const list = h("ul", { class: "entries" });
  const element = h("div", { class: "found" }, heading, state, list);
  let running = new AbortController();
  let timer = 0;

  function entry(match) {
    const { day, time } = dayAndTime(match.said_at);
    const address = `#/session/${match.session}?segment=${match.segment_index}`;
    const text = markedPieces(match.text, match.marks).map((piece) =>
      piece.isMarked ? h("mark", {}, piece.text) : piece.text);
    const at = clock(match.start_frame / match.sample_rate);
    return h("li", {},
      h("a", { class: "entry", href: address },
        match.note_title !== null && h("span", { class: "tag" }, `Note: ${match.note_title}`),
        h("span", { class: "first", dir: "auto" }, ...text),
        h("span", { class: "facts" }, `${day}, ${time} · at ${at}`)));
  }

  async function search(text) {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    if (text.trim() === "") {
      list.replaceChildren();
      state.textContent = "Type words, the beginning of one (trans*), or a phrase in quotes.";
      return;
    }
    try {
      const { matches } = await getJSON(`/api/v1/search?${new URLSearchParams({ q: text, limit: LIMIT })}`, signal);
      list.replaceChildren(...matches.map(entry));
      if (matches.length === 0) state.textContent = `Nothing was found for “${text}”. The beginning of a word finds more: trans*`;
      else state.textContent = matches.length === LIMIT ? `The newest ${LIMIT} places` : count(matches.length, "place");
    } catch (error) {
      if (signal.aborted) return;
      list.replaceChildren();
      state.replaceChildren(problemBox(error));
    }
  }

  search(query.get("q") ?? "");
  return {
    element,
    title: "Search",
    update(next) {
      clearTimeout(timer);
      timer = setTimeout(() => search(next.get("q") ?? ""), WAIT_MS);
    },
    close() {
      clearTimeout(timer);
      running.abort();
    },
  };
}
