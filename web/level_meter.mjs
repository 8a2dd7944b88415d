// The sound of the last seconds as bars, the newest at the right: coloured where it is speech.

const BAR = 3; // CSS pixels, as the gap between two
const FLOOR_DB = -60;

export function drawLevels(canvas, levels) {
  const { context, width, height, colour } = prepare(canvas);
  const fits = Math.floor(width / (2 * BAR));
  const shown = levels.slice(-fits);
  const muted = getComputedStyle(canvas).getPropertyValue("border-top-color");
  for (let i = 0; i < fits; i += 1) {
    const level = shown[i - (fits - shown.length)];
    const loudness = level ? Math.min(1, Math.max(0, (level.rms - FLOOR_DB) / -FLOOR_DB)) : 0;
    const size = Math.max(BAR, loudness * height);
    context.fillStyle = level && level.speech >= 0.5 ? colour : muted;
    bar(context, width - (fits - i) * 2 * BAR, (height - size) / 2, size);
  }
}

/** The shape of a segment, coloured as far as it has been played. */
export function drawWaveform(canvas, shape, played) {
  const { context, width, height, colour } = prepare(canvas);
  const muted = getComputedStyle(canvas).getPropertyValue("border-top-color");
  shape.forEach((peak, i) => {
    const size = Math.max(BAR, Math.min(1, Math.sqrt(peak) * 1.1) * height);
    context.fillStyle = (i + 0.5) / shape.length <= played ? colour : muted;
    bar(context, (i * width) / shape.length, (height - size) / 2, size);
  });
}

/** As many bars as a waveform has room for. */
export function barCount(canvas) {
  return Math.max(8, Math.floor(canvas.clientWidth / (2 * BAR)));
}

function bar(context, x, y, size) {
  context.beginPath();
  context.roundRect(x, y, BAR, size, BAR / 2);
  context.fill();
}

/** A canvas as large as it is shown, empty. Its colours are those of its text and of its border. */
function prepare(canvas) {
  const scale = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height, colour: getComputedStyle(canvas).color };
}
