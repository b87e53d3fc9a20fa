// Makes JPEGs of camera pictures, beside the page's own thread.

let canvas = null;

onmessage = async ({ data: { picture, width, height, quality, timeMs } }) => {
  canvas ??= new OffscreenCanvas(width, height);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0, width, height);
  picture.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
  const jpeg = await blob.arrayBuffer();
  postMessage({ jpeg, timeMs, width, height }, [jpeg]);
};
