// The server wants a token.

import { token } from "./api.mjs";
import { h, problemBox } from "./dom.mjs";

export function signInView({ problem, onToken }) {
  const field = h("input", { type: "password", id: "token", autocomplete: "off", spellcheck: "false", required: true });
  const isRefused = problem.code === "token_unknown";
  const element = h("form", { class: "signin", onsubmit: (event) => {
    event.preventDefault();
    token.set(field.value.trim());
    onToken();
  } },
    h("h1", {}, "Sign in"),
    h("p", {}, "This server needs a token. Whoever runs it makes one with ", h("code", {}, "dictum serve --new-token FILE"), "."),
    isRefused && problemBox(problem),
    h("label", { for: "token" }, "Token"),
    field,
    h("button", { type: "submit", class: "pill strong" }, "Sign in"),
    h("p", { class: "quiet" }, "It is kept until this tab is closed."));
  return { element, title: "Sign in", close() {}, focus: field };
}
