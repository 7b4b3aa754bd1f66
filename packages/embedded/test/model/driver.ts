import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { CollectionSpec, Database } from "@nigh/contract";
import { Model } from "@nigh/contract/suite";
import { openFolder } from "@nigh/embedded";
import { compare } from "./look.ts";
import { Run } from "./run.ts";
import { DIMENSIONS, type Kind, type Step } from "./steps.ts";

/** One database that the plans of a test run on, each with a collection of its own. */
export class Driver {
	readonly #folder: string;
	readonly #clock = { now: 1_000_000 };
	#database: Database | undefined;
	/** Plans that were begun, and steps that were taken. */
	plans = 0;
	steps = 0;

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** Takes the steps one after the other and compares the collection with the model all along. */
	async run(kind: Kind, steps: readonly Step[]): Promise<void> {
		const name = `plan-${++this.plans}`;
		const { index, metric, maxRecords, prunePolicy, isIndexed } = kind;
		const spec: CollectionSpec = {
			dimensions: DIMENSIONS,
			metric,
			index: index === "hnsw" ? { kind: index, M: 4, efConstruction: 20 } : { kind: index },
			...(isIndexed && { filterable: ["group"] }),
			...(maxRecords !== null && { maxRecords, prunePolicy }),
		};
		try {
			const database = await this.#open();
			const run = new Run(await database.collection(name, spec), spec, this.#clock);
			for (const step of steps) {
				await this.#take(run, step);
				this.steps++;
			}
			await compare(run);
		} finally {
			await (await this.#open()).drop(name);
		}
	}

	async close(): Promise<void> {
		await this.#database?.close();
		this.#database = undefined;
	}

	async #open(): Promise<Database> {
		// What the disk itself does is for the kill test.
		const options = { threads: 1, pruneEveryMs: 0, durability: "normal", now: () => this.#clock.now } as const;
		this.#database ??= await openFolder(join(this.#folder, "data"), options);
		return this.#database;
	}

	async #take(run: Run, step: Step): Promise<void> {
		const { name } = run.collection;
		switch (step.verb) {
			case "reopen":
				await run.collection.close();
				run.collection = await (await this.#open()).collection(name);
				return;
			case "restart":
				await this.close();
				run.collection = await (await this.#open()).collection(name);
				return compare(run);
			case "drop":
				assert.equal(await (await this.#open()).drop(name), true);
				run.collection = await (await this.#open()).collection(name, run.spec);
				run.model = new Model(this.#clock);
				return;
			case "back up":
				return this.#backUp(run);
			default:
				return run.take(step);
		}
	}

	async #backUp(run: Run): Promise<void> {
		const database = await this.#open();
		const place = join(this.#folder, "backup");
		const { name } = run.collection;
		await database.backup(place);
		await database.drop(name);
		await database.restore(place, { overwrite: true });
		rmSync(place, { recursive: true });
		run.collection = await database.collection(name);
		await compare(run);
	}
}
