// Light or dark: as the system says, until somebody chooses. Loaded first, so that nothing flashes.

import { keep, kept } from "./choices.mjs";

const KEY = "dictum-theme";
const root = document.documentElement;
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");


function show(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  document.dispatchEvent(new Event("theme"));
}

/** Changes to the other one; back to what the system says where that is the same. */
export function switchTheme() {
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark.matches;
  const next = isDark ? "light" : "dark";
  const isSystems = (next === "dark") === systemIsDark.matches;
  keep(KEY, isSystems ? null : next);
  show(isSystems ? null : next);
}

show(kept(KEY));
systemIsDark.addEventListener("change", () => document.dispatchEvent(new Event("theme")));
