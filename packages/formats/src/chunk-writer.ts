import { WRITE_CHUNK_BYTES } from "./parameters.ts";

/**
 * Gathers bytes into chunks of about {@link WRITE_CHUNK_BYTES}. Each chunk is a buffer of its own, so the receiver may keep it.
 * Call {@link add} only after all chunks of {@link full} were taken.
 */
export class ChunkWriter {
	#chunk = new Uint8Array(WRITE_CHUNK_BYTES);
	#used = 0;

	/** Appends bytes, giving away every chunk that becomes full. */
	*add(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>, void> {
		let taken = 0;
		while (taken < bytes.length) {
			const part = Math.min(bytes.length - taken, this.#chunk.length - this.#used);
			this.#chunk.set(bytes.subarray(taken, taken + part), this.#used);
			this.#used += part;
			taken += part;
			if (this.#used < this.#chunk.length) continue;
			yield this.#chunk;
			this.#chunk = new Uint8Array(WRITE_CHUNK_BYTES);
			this.#used = 0;
		}
	}

	/** What is left over. */
	*rest(): Generator<Uint8Array<ArrayBuffer>, void> {
		if (this.#used > 0) yield this.#chunk.slice(0, this.#used);
		this.#used = 0;
	}
}
