/**
 * One frame as a video of YUV4MPEG2, which Chromium's camera can show; it is shown again and again.
 *
 * @param rgb `[height, width, 3]` 8-bit, even sides
 */
export function videoOf(rgb: Uint8Array, height: number, width: number): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\nFRAME\n`);
  const pixels = width * height;
  const video = new Uint8Array(header.length + pixels * 3 / 2);
  video.set(header);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [r, g, b] = rgb.subarray(3 * (y * width + x));
      const at = header.length + y * width + x;
      video[at] = 0.299 * r + 0.587 * g + 0.114 * b;
      if (y % 2 === 1 || x % 2 === 1) continue;
      const chroma = header.length + pixels + (y / 2) * (width / 2) + x / 2;
      video[chroma] = 128 - 0.168736 * r - 0.331264 * g + 0.5 * b;
      video[chroma + pixels / 4] = 128 + 0.5 * r - 0.418688 * g - 0.081312 * b;
    }
  }
  return video;
}
