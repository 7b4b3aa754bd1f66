/**
 * Which labels may be answered. One struct in memory (0 stands for "all"):
 *
 * | byte | what                                                                            |
 * |------|---------------------------------------------------------------------------------|
 * | 0    | u32 address of the allow-bitmap (0: none), one bit a label                       |
 * | 4    | u32 labels the bitmap covers; a label beyond is not allowed                      |
 * | 8    | u32 address of `born`, one f64 change number a label (0: no alive test)          |
 * | 12   | u32 address of `died`, likewise                                                  |
 * | 16   | f64 the reader's change number: alive is born <= number < died                   |
 * | 24   | u32 labels that born and died cover; a label beyond is not alive                 |
 */
let allow: usize = 0;
let allowed: u32 = 0;
let born: usize = 0;
let died: usize = 0;
let reader: f64 = 0;
let dated: u32 = 0;

export function openEligibility(at: usize): void {
	if (at == 0) return;
	allow = load<u32>(at);
	allowed = load<u32>(at, 4);
	born = load<u32>(at, 8);
	died = load<u32>(at, 12);
	reader = load<f64>(at, 16);
	dated = load<u32>(at, 24);
}

/** 1 where the bitmap, which there must be, has the label; 0 where not. Without a branch: half of them would be guessed wrong. */
@inline
export function allowedBit(label: u32): i32 {
	const within = label < allowed;
	const word = select<u32>(label >> 5, 0, within);
	return <i32>((load<u32>(allow + (<usize>word << 2)) >> (label & 31)) & <u32>within);
}

/** Whether the reader sees a label, whatever the bitmap says. */
@inline
export function alive(label: u32): bool {
	if (born == 0) return true;
	if (label >= dated) return false;
	const at = <usize>label << 3;
	return load<f64>(born + at) <= reader && reader < load<f64>(died + at);
}

@inline
export function eligible(label: u32): bool {
	if (allow != 0) {
		if (label >= allowed) return false;
		if ((load<u32>(allow + (<usize>(label >> 5) << 2)) & (1 << (label & 31))) == 0) return false;
	}
	return alive(label);
}
