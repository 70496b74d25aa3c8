/** The texts of a page, in which this runs, whose contrast (WCAG 2.2, 1.4.3) to what lies behind them is below 4.5. */
export function faintTexts(): string[] {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;
  const pixel = (color: string) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (color: string) => {
    const [red, green, blue] = pixel(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element: Element | null): string => {
    if (element === null) return "white";
    const { backgroundColor } = getComputedStyle(element);
    return pixel(backgroundColor)[3] === 255 ? backgroundColor : behind(element.parentElement);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint: string[] = [];
  while (texts.nextNode()) {
    const text = texts.currentNode.nodeValue!.trim(), element = texts.currentNode.parentElement!;
    if (text === "" || !element.checkVisibility() || element.tagName === "title") continue;
    const style = getComputedStyle(element);
    const [low, high] = [luminance(element.closest("svg") ? style.fill : style.color), luminance(behind(element))]
      .sort();
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) faint.push(`${text}: ${contrast.toFixed(2)}`);
  }
  return faint;
}
