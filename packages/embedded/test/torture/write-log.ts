/** Writes that can be noted. */
const CAPACITY = 1 << 20;

/**
 * What one writer has written, in memory that other threads read: write n gives the records from `first` up to `end` the version n, all of
 * them at once. So the change number of an answer tells the version of every record in it.
 */
export class WriteLog {
	readonly first: Uint32Array;
	readonly end: Uint32Array;
	/** Change numbers of the writes that have been acknowledged. */
	readonly change: Float64Array;
	/** How many writes have been begun, and how many of them have been acknowledged. */
	readonly counts: Uint32Array;

	constructor(shared?: WriteLog) {
		this.first = shared?.first ?? new Uint32Array(new SharedArrayBuffer(4 * CAPACITY));
		this.end = shared?.end ?? new Uint32Array(new SharedArrayBuffer(4 * CAPACITY));
		this.change = shared?.change ?? new Float64Array(new SharedArrayBuffer(8 * CAPACITY));
		this.counts = shared?.counts ?? new Uint32Array(new SharedArrayBuffer(8));
	}

	get begun(): number {
		return Atomics.load(this.counts, 0);
	}

	get acknowledged(): number {
		return Atomics.load(this.counts, 1);
	}

	/** The change number that everything begun from now on has to see. */
	get acknowledgedChange(): number {
		return this.change[this.acknowledged] as number;
	}

	/** Notes that the next write is about to be made. Returns its version. */
	begin(first: number, end: number): number {
		const version = this.begun + 1;
		if (version === CAPACITY) throw new Error(`There is room for ${CAPACITY - 1} writes.`);
		this.first[version] = first;
		this.end[version] = end;
		Atomics.store(this.counts, 0, version);
		return version;
	}

	/** The write that was begun last is there. */
	acknowledge(change: number): void {
		const version = this.begun;
		this.change[version] = change;
		Atomics.store(this.counts, 1, version);
	}
}

/** The versions of all records at one change number after the other. */
export class Versions {
	readonly #log: WriteLog;
	readonly #records: number;
	#at = 0;
	#versions: Uint32Array;

	constructor(log: WriteLog, records: number) {
		this.#log = log;
		this.#records = records;
		this.#versions = new Uint32Array(records);
	}

	/** By record, at the state that was answered with `change`; `undefined` where no write has made such a state. */
	at(change: number): Uint32Array | undefined {
		const version = this.#versionOf(change);
		if (version === undefined) return undefined;
		if (version < this.#at) {
			this.#at = 0;
			this.#versions = new Uint32Array(this.#records);
		}
		while (this.#at < version) {
			this.#at++;
			this.#versions.fill(this.#at, this.#log.first[this.#at] as number, this.#log.end[this.#at] as number);
		}
		return this.#versions;
	}

	/** The last write that the state has. */
	#versionOf(change: number): number | undefined {
		const { acknowledged, begun } = this.#log;
		// Only the write that is under way can be there and not be acknowledged.
		if (change > (this.#log.change[acknowledged] as number)) return begun > acknowledged ? begun : undefined;
		let version = acknowledged;
		while (version > 0 && (this.#log.change[version] as number) > change) version--;
		return this.#log.change[version] === change && version > 0 ? version : undefined;
	}
}
