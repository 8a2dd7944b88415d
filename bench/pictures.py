"""Pictures of benchmarks as SVG: bars beside those of peers, and lines. Light and dark pages both show them: text and
axes have a middle grey, the background is transparent."""

import html
import math

WIDTH = 720
TEXT = "#7a7f87"
COLOURS = ["#2f81f7", "#d29922", "#3fb950", "#db61a2", "#8957e5", "#f78166"]
FONT = 'font-family="system-ui, sans-serif" font-size="13"'


def _text(x, y, words, *, anchor="start", colour=TEXT):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" {FONT}>{html.escape(words)}</text>'


def _document(height, parts, title):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
            f"<title>{html.escape(title)}</title>\n" + "\n".join(parts) + "\n</svg>\n")


def number(value):
    """With three digits that count."""
    if value == 0 or value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def bars(title, bars_of, unit):
    """`bars_of`: pairs of a name and a value; a name that begins with "dictum" has our colour."""
    left, right, step = 230, 90, 26
    largest = max(value for _, value in bars_of)
    parts = [_text(0, 16, f"{title} ({unit})")]
    y = 30
    for name, value in bars_of:
        length = max(1.0, (WIDTH - left - right) * value / largest)
        colour = COLOURS[0] if name.startswith("dictum") else COLOURS[1]
        parts += [_text(left - 8, y + 14, name, anchor="end"),
                  f'<rect x="{left}" y="{y}" width="{length:.1f}" height="18" rx="2" fill="{colour}"/>',
                  _text(left + length + 6, y + 14, number(value))]
        y += step
    return _document(y + 4, parts, title)


def _ticks(least, most):
    """Powers of ten over a range, and its ends."""
    inner = [10.0**e for e in range(math.ceil(math.log10(least)), math.floor(math.log10(most)) + 1)]
    return sorted({least, most, *(tick for tick in inner if least * 1.5 < tick < most / 1.5)})


def lines(title, series, x_label, y_label, *, limit=None):
    """`series`: points by name. The horizontal axis is logarithmic, the vertical one begins at 0."""
    left, right, top, bottom, height = 60, 20, 48, 60, 320
    points = [point for each in series.values() for point in each]
    xs = [x for x, _ in points]
    most = max([y for _, y in points] + ([limit] if limit else [])) * 1.1
    low, high = math.log10(min(xs)), math.log10(max(xs))

    def place(x, y):
        part = (math.log10(x) - low) / (high - low) if high > low else 0.5
        return left + (WIDTH - left - right) * part, height - bottom - (height - top - bottom) * y / most

    floor = height - bottom
    parts = [_text(0, 16, title),
             f'<path d="M{left} {top}V{floor}H{WIDTH - right}" fill="none" stroke="{TEXT}"/>',
             _text((left + WIDTH - right) / 2, height - 22, x_label, anchor="middle"),
             _text(left, top - 8, y_label)]
    parts += [_text(place(tick, 0)[0], floor + 16, number(tick), anchor="middle") for tick in _ticks(min(xs), max(xs))]
    parts += [_text(left - 6, place(min(xs), most * part / 1.1)[1] + 4, number(most * part / 1.1), anchor="end")
              for part in (0, 0.5, 1)]
    if limit:
        y = place(min(xs), limit)[1]
        parts.append(f'<path d="M{left} {y:.1f}H{WIDTH - right}" stroke="{COLOURS[5]}" stroke-dasharray="5 4"/>')
    for i, (name, each) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        places = [place(x, y) for x, y in sorted(each)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(_text(left + 160 * i, height - 4, f"— {name}", colour=colour))
    return _document(height, parts, title)
