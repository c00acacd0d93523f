// A message: 4 bytes with the length of the JSON, big-endian; the JSON; the JPEG of the same frame, which may be empty.

const LENGTH_BYTES = 4;

/**
 * @param {ArrayBuffer} content
 * @returns {{sequence: number, notice: string, result: object, jpeg: Uint8Array}}
 */
export function unpack(content) {
  const length = new DataView(content).getUint32(0);
  const text = new Uint8Array(content, LENGTH_BYTES, length);
  const message = JSON.parse(new TextDecoder().decode(text));
  return { ...message, jpeg: new Uint8Array(content, LENGTH_BYTES + length) };
}
