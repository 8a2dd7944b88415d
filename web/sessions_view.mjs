// Everything that was recorded, the newest first.

import { getJSON } from "./api.mjs";
import { h, problemBox } from "./dom.mjs";
import { count, dayAndTime, duration } from "./text.mjs";

const PAGE = 30;

export function sessionsView() {
  const days = h("div", { class: "days" });
  const more = h("button", { type: "button", class: "pill", hidden: true, onclick: () => load() }, "Show older sessions");
  const state = h("div", { role: "status" });
  const element = h("div", { class: "sessions" }, h("h1", {}, "Sessions"), days, state, more);
  let next = `/api/v1/sessions?limit=${PAGE}`;
  let day = null;
  const ended = new AbortController();

  function entry(session) {
    const { time } = session.started_at ? dayAndTime(session.started_at) : { time: session.session };
    const facts = [time];
    if (session.is_readable) {
      facts.push(duration(session.duration_sec), count(session.segments, "segment"));
      if (session.notes > 0) facts.push(count(session.notes, "note"));
    }
    if (session.is_open) facts.push("open");
    const title = session.first_text || (session.problem ? "Cannot be read as a whole" : "No text");
    return h("li", {},
      h("a", { class: "entry", href: `#/session/${session.session}` },
        h("span", { class: session.first_text ? "first" : "first tentative", dir: "auto" }, title),
        h("span", { class: "facts" }, facts.join(" · ")),
        session.problem && h("span", { class: "wrong" }, session.problem)));
  }

  async function load() {
    more.disabled = true;
    try {
      const page = await getJSON(next, ended.signal);
      for (const session of page.sessions) {
        const name = session.started_at ? dayAndTime(session.started_at).day : "Unknown day";
        if (name !== day) {
          day = name;
          days.append(h("section", {}, h("h2", {}, name), h("ul", { class: "entries" })));
        }
        days.lastElementChild.lastElementChild.append(entry(session));
      }
      next = page.next;
      more.hidden = next === null;
      if (days.childElementCount === 0) {
        state.replaceChildren(h("p", { class: "tentative" }, "Nothing has been recorded yet."));
      }
    } catch (error) {
      if (!ended.signal.aborted) state.replaceChildren(problemBox(error));
    }
    more.disabled = false;
  }
  load();
  return { element, title: "Sessions", close: () => ended.abort() };
}
