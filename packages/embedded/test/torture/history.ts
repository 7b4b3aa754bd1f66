import { appendFileSync, closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Model } from "@nigh/contract/suite";
import { apply, type Call, type CollectionName, SPECS } from "./calls.ts";

/** A call in the log, between its being issued and being settled. */
export interface Issued {
	readonly number: number;
	readonly now: number;
	readonly call: Call;
	acknowledged: boolean;
}

/** The calls of one collection. */
export class Lane {
	readonly name: CollectionName;
	/** Calls whose effect is certain. */
	settled = 0;
	/** What those have made of the collection; `undefined`: there is none. */
	model: Model | undefined;
	/** Calls since. */
	pending: Issued[] = [];
	readonly #clock: { now: number };

	constructor(name: CollectionName, clock: { now: number }) {
		this.name = name;
		this.#clock = clock;
	}

	/** The number of the last call that was acknowledged: it and all before it must be there. */
	get acknowledged(): number {
		return this.pending.findLast((issued) => issued.acknowledged)?.number ?? this.settled;
	}

	get issued(): number {
		return this.settled + this.pending.length;
	}

	/** Takes the next call as done. */
	advance(): void {
		const { now, call } = this.pending.shift() as Issued;
		this.settled++;
		const later = this.#clock.now;
		this.#clock.now = now;
		this.model = apply(this.model, call, this.#clock);
		this.#clock.now = later;
	}

	/** What was issued beyond this has not happened and will not. */
	forgetPending(): void {
		this.pending = [];
	}
}

type Line =
	| {
			readonly kind: "issued";
			readonly name: CollectionName;
			readonly number: number;
			readonly now: number;
			readonly call: Call;
	  }
	| { readonly kind: "acknowledged"; readonly name: CollectionName; readonly number: number }
	| { readonly kind: "settled"; readonly at: Readonly<Record<CollectionName, number>>; readonly now: number }
	| { readonly kind: "clock"; readonly now: number }
	| { readonly kind: "note"; readonly text: string };

/**
 * What was asked of a database and what it acknowledged, over all the processes that wrote it, as an append-only file. Every line is one
 * `write` before the call is made and after it has ended: a kill takes neither a line that was written nor the order.
 */
export class History {
	readonly lanes: Readonly<Record<CollectionName, Lane>>;
	readonly clock = { now: 1_000_000 };
	readonly #path: string;
	#file: number | undefined;

	constructor(path: string) {
		this.#path = path;
		const names = Object.keys(SPECS) as CollectionName[];
		this.lanes = Object.fromEntries(names.map((name) => [name, new Lane(name, this.clock)])) as Record<
			CollectionName,
			Lane
		>;
		if (existsSync(path)) for (const line of linesOf(path)) this.#take(line);
		// A line that the kill has cut short stays by itself.
		appendFileSync(path, "\n");
	}

	/** Notes that a call is about to be made. */
	issue(name: CollectionName, call: Call): Issued {
		const number = this.lanes[name].issued + 1;
		const { now } = this.clock;
		this.#write({ kind: "issued", name, number, now, call });
		const issued = { number, now, call, acknowledged: false };
		this.lanes[name].pending.push(issued);
		return issued;
	}

	acknowledge(name: CollectionName, issued: Issued): void {
		this.#write({ kind: "acknowledged", name, number: issued.number });
		issued.acknowledged = true;
	}

	/** Every lane is where its model is; what was pending beyond that is forgotten. */
	settle(): void {
		const at = Object.fromEntries(Object.values(this.lanes).map(({ name, settled }) => [name, settled]));
		this.#write({ kind: "settled", at: at as Record<CollectionName, number>, now: this.clock.now });
		for (const lane of Object.values(this.lanes)) lane.forgetPending();
	}

	/** Time goes on: noted first, since what expires by then may be deleted at once, whatever else happens. */
	wait(ms: number): void {
		this.#write({ kind: "clock", now: this.clock.now + ms });
		this.clock.now += ms;
	}

	/** For people. */
	note(text: string): void {
		this.#write({ kind: "note", text });
	}

	close(): void {
		if (this.#file !== undefined) closeSync(this.#file);
		this.#file = undefined;
	}

	#write(line: Line): void {
		this.#file ??= openSync(this.#path, "a");
		writeSync(this.#file, `${JSON.stringify(line)}\n`);
	}

	#take(line: Line): void {
		switch (line.kind) {
			case "issued": {
				const { name, number, now, call } = line;
				this.lanes[name].pending.push({ number, now, call, acknowledged: false });
				this.clock.now = now;
				return;
			}
			case "acknowledged": {
				const issued = this.lanes[line.name].pending.find(({ number }) => number === line.number);
				if (issued !== undefined) issued.acknowledged = true;
				return;
			}
			case "settled":
				for (const lane of Object.values(this.lanes)) {
					while (lane.settled < line.at[lane.name]) lane.advance();
					lane.forgetPending();
				}
				this.clock.now = line.now;
				return;
			case "clock":
				this.clock.now = line.now;
		}
	}
}

function linesOf(path: string): Line[] {
	const text = readFileSync(path, "utf8");
	return text.split("\n").flatMap((line) => {
		try {
			return line === "" ? [] : [JSON.parse(line) as Line];
		} catch {
			// Cut short by a kill, before the call was made.
			return [];
		}
	});
}
