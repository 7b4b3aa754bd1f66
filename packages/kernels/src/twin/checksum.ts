/** XXH32 with seed 0 (Yann Collet's xxHash specification, 0.1.1): fast enough to check a snapshot while it is read. */
import type { TwinMemory } from "./memory.ts";

const P1 = 2654435761;
const P2 = 2246822519;
const P3 = 3266489917;
const P4 = 668265263;
const P5 = 374761393;

const { imul } = Math;

function rotl(x: number, by: number): number {
	return (x << by) | (x >>> (32 - by));
}

function round(lane: number, input: number): number {
	return imul(rotl((lane + imul(input, P2)) | 0, 13), P1);
}

/** The hash as an int32, as WebAssembly returns it. `at` need not be aligned. */
export function checksum(m: TwinMemory, at: number, length: number): number {
	const bytes = new DataView(m.buffer, at >>> 0, length >>> 0);
	const end = bytes.byteLength;
	let o = 0;
	let hash = P5;
	if (end >= 16) {
		let a = (P1 + P2) | 0;
		let b = P2 | 0;
		let c = 0;
		let d = -P1 | 0;
		for (; o + 16 <= end; o += 16) {
			a = round(a, bytes.getInt32(o, true));
			b = round(b, bytes.getInt32(o + 4, true));
			c = round(c, bytes.getInt32(o + 8, true));
			d = round(d, bytes.getInt32(o + 12, true));
		}
		hash = (rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18)) | 0;
	}
	hash = (hash + end) | 0;
	for (; o + 4 <= end; o += 4) hash = imul(rotl((hash + imul(bytes.getInt32(o, true), P3)) | 0, 17), P4);
	for (; o < end; o++) hash = imul(rotl((hash + imul(bytes.getUint8(o), P5)) | 0, 11), P1);
	hash = imul(hash ^ (hash >>> 15), P2);
	hash = imul(hash ^ (hash >>> 13), P3);
	return hash ^ (hash >>> 16);
}
