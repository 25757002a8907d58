// Colours of a Telegram theme, made readable: not every theme keeps enough contrast by itself.

type Rgb = readonly [number, number, number];

const ENOUGH = 4.6; // WCAG asks for 4.5
const STEP = 0.08;

/** Returns the background, darkened or lightened until the text can be read on it. */
export function readable(background: string, text: string): string {
  const [from, on] = [parse(background), parse(text)];
  if (!from || !on) return background;
  const goal: Rgb = luminance(on) > 0.3 ? [0, 0, 0] : [255, 255, 255];
  let mixed = from;
  for (let share = STEP; contrast(mixed, on) < ENOUGH && share < 1; share += STEP) {
    mixed = mix(from, goal, share);
  }
  return `rgb(${mixed.join(' ')})`;
}

export function isDark(color: string): boolean {
  const parsed = parse(color);
  return parsed !== null && luminance(parsed) < 0.3;
}

function parse(hex: string): Rgb | null {
  const digits = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex.trim());
  if (!digits) return null;
  const [red, green, blue] = digits.slice(1).map((pair) => parseInt(pair, 16));
  return [red ?? 0, green ?? 0, blue ?? 0];
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (a: number, b: number) => Math.round(a + (b - a) * share);
  return [part(from[0], to[0]), part(from[1], to[1]), part(from[2], to[2])];
}

function luminance(color: Rgb): number {
  const linear = (channel: number) => {
    const share = channel / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2]);
}

function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}
