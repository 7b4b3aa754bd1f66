/** Whether this machine keeps the low byte of a number first, as all the formats here do. */
export const HOST_IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Turns around the bytes of every number of `width` bytes, in place. A remainder at the end is left as it is. */
export function swapBytes(bytes: Uint8Array, width: number): void {
	for (let start = 0; start + width <= bytes.length; start += width) bytes.subarray(start, start + width).reverse();
}

/** Makes bytes that were copied between a file and a typed array right for the other side: nothing to do on little-endian hosts. */
export function fixByteOrder(bytes: Uint8Array, width: number): void {
	if (!HOST_IS_LITTLE_ENDIAN && width > 1) swapBytes(bytes, width);
}
