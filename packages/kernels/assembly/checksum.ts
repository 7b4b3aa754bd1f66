/** XXH32 with seed 0 (Yann Collet's xxHash specification, 0.1.1): fast enough to check a snapshot while it is read. */
const P1: u32 = 2654435761;
const P2: u32 = 2246822519;
const P3: u32 = 3266489917;
const P4: u32 = 668265263;
const P5: u32 = 374761393;

@inline
function round(lane: u32, input: u32): u32 {
	return rotl<u32>(lane + input * P2, 13) * P1;
}

export function checksum(at: usize, length: u32): u32 {
	const end = at + length;
	let hash: u32 = P5;
	if (length >= 16) {
		let a: u32 = P1 + P2;
		let b: u32 = P2;
		let c: u32 = 0;
		let d: u32 = 0 - P1;
		for (const stop = end - 16; at <= stop; at += 16) {
			a = round(a, load<u32>(at));
			b = round(b, load<u32>(at, 4));
			c = round(c, load<u32>(at, 8));
			d = round(d, load<u32>(at, 12));
		}
		hash = rotl<u32>(a, 1) + rotl<u32>(b, 7) + rotl<u32>(c, 12) + rotl<u32>(d, 18);
	}
	hash += length;
	for (; at + 4 <= end; at += 4) hash = rotl<u32>(hash + load<u32>(at) * P3, 17) * P4;
	for (; at < end; at++) hash = rotl<u32>(hash + <u32>load<u8>(at) * P5, 11) * P1;
	hash = (hash ^ (hash >> 15)) * P2;
	hash = (hash ^ (hash >> 13)) * P3;
	return hash ^ (hash >> 16);
}
