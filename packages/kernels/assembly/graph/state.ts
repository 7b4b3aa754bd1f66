/**
 * A graph and a scratch area in memory, opened before each call. A node is a place in the arrays below; only `label` leaves the index.
 *
 * The graph (u32 words):
 *
 * | byte | what                                                                                       |
 * |------|--------------------------------------------------------------------------------------------|
 * | 0    | payload: 0 float rows, 1 codes (l2 form), 2 codes (dot form), 3 bit rows, 4 a user's metric  |
 * | 4    | metric of the exact keys                                                                    |
 * | 8    | bytes of a payload (without the norm)                                                       |
 * | 12   | address of the node blocks                                                                  |
 * | 16   | bytes from one block to the next                                                            |
 * | 20   | address of the exact rows (of the blocks, where the payload is exact)                        |
 * | 24   | bytes from one exact row to the next                                                        |
 * | 28   | bytes of an exact row                                                                       |
 * | 32   | M: most links of a node on the upper layers, and of a new node on every layer               |
 * | 36   | M0: most links on layer 0                                                                   |
 * | 40   | address of the upper records: per node and layer above 0 a count and M links                |
 * | 44   | address of u32 a node: number of its first upper record                                     |
 * | 48   | address of u8 a node: its level; 255 for a free place                                       |
 * | 52   | entry point (node); 0xffffffff in an empty graph                                            |
 * | 56   | level of the entry point                                                                    |
 * | 60   | address of u32 a node: its label (0: in the block alone)                                    |
 *
 * A node block: payload, then i32 norm, u32 label, u32 count of links, M0 links. The payload comes first so that it starts on a cache
 * line. A reader on another thread never locks: a node is complete before a link to it is stored, and a count is stored last.
 *
 * The scratch (u32 words), one for each thread:
 *
 * | byte | what                                                                                       |
 * |------|--------------------------------------------------------------------------------------------|
 * | 0    | address of u16 marks, one a node                                                            |
 * | 4    | the current mark                                                                            |
 * | 8    | number of marks                                                                             |
 * | 12   | address of the pool: pairs {f32 key, u32 node}                                              |
 * | 16   | address of u32 ids                                                                          |
 * | 20   | address of f32 keys                                                                         |
 * | 24   | address of the exact query                                                                  |
 * | 28   | address of the coded query                                                                  |
 * | 32   | norm of the coded query                                                                     |
 * | 36   | address of the heap of the filtered search: pairs, one a node (0: none)                      |
 * | 40   | address of candidates: pairs                                                                |
 * | 44   | address of selected nodes (u32)                                                             |
 * | 48   | address of the abort word (0: none)                                                         |
 * | 52   | address of the answer: pairs {f32 key, u32 label}                                           |
 * | 56   | keys computed since the scratch was made (wraps)                                            |
 * | 60   | nodes expanded since the scratch was made (wraps)                                           |
 */
import { codeKeysMany, CODE_DOT, CODE_L2 } from "../codes";
import { distanceMany } from "../distance";
import { encodeSigned } from "../encode";

export const PAYLOAD_CODES_L2: u32 = 1;
export const PAYLOAD_CODES_DOT: u32 = 2;
export const NONE: u32 = 0xffffffff;
export const FREE: u32 = 255;
/** Set in a pool's node while it has been expanded: nodes stay below 2^31. */
export const EXPANDED: u32 = 0x80000000;

export let graph: usize = 0;
export let scratch: usize = 0;
export let payload: u32 = 0;
export let metric: i32 = 0;
export let payloadBytes: usize = 0;
export let blocks: usize = 0;
export let blockStride: usize = 0;
export let vectors: usize = 0;
export let vectorStride: usize = 0;
export let vectorBytes: usize = 0;
export let degree: i32 = 0;
export let degree0: i32 = 0;
export let upper: usize = 0;
export let upperStride: usize = 0;
export let upperOf: usize = 0;
export let levels: usize = 0;
export let labels: usize = 0;
export let linksAt: usize = 0;
export let marks: usize = 0;
export let pool: usize = 0;
export let ids: usize = 0;
export let keys: usize = 0;
export let query: usize = 0;
export let queryCode: usize = 0;
export let queryNorm: i32 = 0;
export let candidates: usize = 0;
export let selected: usize = 0;
export let abortAt: usize = 0;
export let mark: u32 = 0;

export function open(g: usize, s: usize): void {
	graph = g;
	payload = load<u32>(g);
	metric = load<i32>(g, 4);
	payloadBytes = <usize>load<u32>(g, 8);
	blocks = <usize>load<u32>(g, 12);
	blockStride = <usize>load<u32>(g, 16);
	vectors = <usize>load<u32>(g, 20);
	vectorStride = <usize>load<u32>(g, 24);
	vectorBytes = <usize>load<u32>(g, 28);
	degree = load<i32>(g, 32);
	degree0 = load<i32>(g, 36);
	upper = <usize>load<u32>(g, 40);
	upperStride = <usize>(degree + 1) << 2;
	upperOf = <usize>load<u32>(g, 44);
	levels = <usize>load<u32>(g, 48);
	labels = <usize>load<u32>(g, 60);
	linksAt = payloadBytes + 8;
	scratch = s;
	marks = <usize>load<u32>(s);
	mark = load<u32>(s, 4);
	pool = <usize>load<u32>(s, 12);
	ids = <usize>load<u32>(s, 16);
	keys = <usize>load<u32>(s, 20);
	query = <usize>load<u32>(s, 24);
	queryCode = <usize>load<u32>(s, 28);
	queryNorm = load<i32>(s, 32);
	candidates = <usize>load<u32>(s, 40);
	selected = <usize>load<u32>(s, 44);
	abortAt = <usize>load<u32>(s, 48);
}

@inline
export function entryPoint(): u32 {
	return atomic.load<u32>(graph, 52);
}

@inline
export function topLevel(): i32 {
	return atomic.load<i32>(graph, 56);
}

@inline
export function blockOf(node: u32): usize {
	return blocks + <usize>node * blockStride;
}

@inline
export function vectorOf(node: u32): usize {
	return vectors + <usize>node * vectorStride;
}

@inline
export function labelOf(node: u32): u32 {
	return load<u32>(blocks + <usize>node * blockStride + payloadBytes, 4);
}

/** The same without a look at the block, where labels lie together: for nodes of which nothing else is wanted. */
@inline
export function labelHere(node: u32): u32 {
	return labels == 0 ? labelOf(node) : load<u32>(labels + (<usize>node << 2));
}

@inline
export function levelOf(node: u32): u32 {
	return <u32>load<u8>(levels + node);
}

/** The address of a node's count of links on a layer; the links follow it. */
@inline
export function linksOf(node: u32, layer: i32): usize {
	if (layer == 0) return blocks + <usize>node * blockStride + linksAt;
	return upper + <usize>(load<u32>(upperOf + (<usize>node << 2)) + <u32>layer - 1) * upperStride;
}

@inline
export function capacityOf(layer: i32): i32 {
	return layer == 0 ? degree0 : degree;
}

@inline
export function aborted(): bool {
	return abortAt != 0 && atomic.load<u32>(abortAt) != 0;
}

/** Starts a search: nothing is marked any more. */
export function unmarkAll(): void {
	mark = (mark + 1) & 0xffff;
	if (mark == 0) {
		memory.fill(marks, 0, <usize>load<u32>(scratch, 8) << 1);
		mark = 1;
	}
	store<u32>(scratch, mark, 4);
}

/** Marks a node; says whether it was unmarked. */
@inline
export function markNew(node: u32): bool {
	const at = marks + (<usize>node << 1);
	if (<u32>load<u16>(at) == mark) return false;
	store<u16>(at, <u16>mark);
	return true;
}

/** Keys of the query to nodes ids[0..n), by payload, into keys[0..n). */
@inline
export function keysToPayload(n: i32): void {
	store<u32>(scratch, load<u32>(scratch, 56) + <u32>n, 56);
	if (payload == PAYLOAD_CODES_L2) {
		codeKeysMany(CODE_L2, queryCode, queryNorm, blocks, blockStride, payloadBytes, ids, n, keys);
	} else if (payload == PAYLOAD_CODES_DOT) {
		codeKeysMany(CODE_DOT, queryCode, queryNorm, blocks, blockStride, payloadBytes, ids, n, keys);
	} else distanceMany(metric, query, blocks, blockStride, payloadBytes, ids, n, keys);
}

/** Exact keys of the query to nodes ids[0..n) into keys[0..n). */
@inline
export function keysToExact(n: i32): void {
	store<u32>(scratch, load<u32>(scratch, 56) + <u32>n, 56);
	distanceMany(metric, query, vectors, vectorStride, vectorBytes, ids, n, keys);
}

/** Whether exact keys differ from those of the payload. */
@inline
export function coded(): bool {
	return payload == PAYLOAD_CODES_L2 || payload == PAYLOAD_CODES_DOT;
}

/** Makes a stored node the query. Only the dot form needs another code than the stored one. */
export function queryNode(node: u32): void {
	query = vectorOf(node);
	if (payload == PAYLOAD_CODES_L2) {
		queryCode = blockOf(node);
		queryNorm = load<i32>(queryCode + payloadBytes);
	} else if (payload == PAYLOAD_CODES_DOT) {
		queryCode = <usize>load<u32>(scratch, 28);
		encodeSigned(query, vectorBytes, queryCode, payloadBytes);
	}
}
