// Lists the visible texts of a page whose contrast is below 4.5:1, computed as WCAG 2 says.
() => {
  const LEAST = 4.5;
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const light = (share) => (share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * light(r / 255) + 0.7152 * light(g / 255) + 0.0722 * light(b / 255);
  const background = (place) => {
    for (let each = place; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if ((color[3] ?? 1) > 0.99) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const judge = (place, style, text) => {
    const [dark, bright] = [luminance(parse(style.color)), luminance(background(place))].sort((a, b) => a - b);
    const ratio = (bright + 0.05) / (dark + 0.05);
    if (ratio < LEAST) found.push(`${ratio.toFixed(2)}: ${text}`);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const place = texts.currentNode.parentElement;
    const text = texts.currentNode.textContent.trim();
    if (text && place.checkVisibility()) judge(place, getComputedStyle(place), text);
  }
  for (const field of document.querySelectorAll("input[placeholder]")) {
    if (field.checkVisibility()) judge(field, getComputedStyle(field, "::placeholder"), field.placeholder);
  }
  return found;
}
