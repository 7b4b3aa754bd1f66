import type { Capabilities, Feature } from "../capabilities.ts";
import type { Collection } from "../collection.ts";
import type { CollectionSpec } from "../collection-spec.ts";
import type { Database } from "../database.ts";
import { ERROR_CODES, type ErrorCode, isNighError, type NighError } from "../errors.ts";
import type { Metric } from "../metric.ts";
import type { Space } from "./oracle.ts";
import type { Assert, Opened, Suite } from "./suite.ts";

/** What every case of the suite works in: a database of its own, and a clock that only the case moves. */
export interface Setting {
	readonly assert: Assert;
	readonly opened: Opened;
	readonly database: Database;
	readonly capabilities: Capabilities;
	/** `now` is in ms since 1970; the case sets it. */
	readonly clock: { now: number };
	/** The metric of cases to which the metric does not matter. */
	readonly metric: Metric;
	has(feature: Feature): boolean;
	/** A name that no other collection has. */
	freshName(): string;
	/** A new collection: of 4 floats under `metric`, where the spec does not say otherwise. */
	create(spec?: CollectionSpec): Promise<Collection>;
	/** The error that the call fails with: a `NighError` with one of the codes. Fails where the call succeeds, or throws instead of rejecting. */
	refused(code: ErrorCode | readonly ErrorCode[], call: () => Promise<unknown>, note?: string): Promise<NighError>;
}

/** Cases by what they promise. */
export type Cases = Readonly<Record<string, (setting: Setting) => Promise<void>>>;

/** A moment in 2027. */
const START = 1_800_000_000_000;

/** The space of collections that {@link Setting.create} makes without a spec. */
export function defaultSpace(setting: Setting): Space {
	return { metric: setting.metric, dimensions: 4 };
}

/** Runs one case in a database of its own, which is closed whatever happens. */
export async function runCase({ assert, open }: Suite, run: (setting: Setting) => Promise<void>): Promise<void> {
	const clock = { now: START };
	const opened = await open({ now: () => clock.now });
	try {
		await run(createSetting(assert, opened, clock));
	} finally {
		await opened.close();
	}
}

function createSetting(assert: Assert, opened: Opened, clock: { now: number }): Setting {
	const { database } = opened;
	const { capabilities } = database;
	const metric = floatMetrics(capabilities)[0];
	if (metric === undefined) assert.fail("`capabilities.metrics` has no metric for floats");
	let names = 0;
	const freshName = () => `suite-${++names}`;
	return {
		assert,
		opened,
		database,
		capabilities,
		clock,
		metric,
		has: (feature) => capabilities.features[feature],
		freshName,
		create: (spec) => database.collection(freshName(), spec ?? { dimensions: 4, metric }),
		refused: (code, call, note = "") => refusal(assert, [code].flat(), call, note === "" ? "" : `${note}: `),
	};
}

/** The metrics that a back end has for floats, `l2` first. */
export function floatMetrics({ metrics }: Capabilities): Metric[] {
	const floats = metrics.filter((metric) => metric !== "hamming");
	return floats.sort((a, b) => Number(b === "l2") - Number(a === "l2"));
}

async function refusal(
	assert: Assert,
	codes: readonly ErrorCode[],
	call: () => Promise<unknown>,
	note: string,
): Promise<NighError> {
	let answer: Promise<unknown>;
	try {
		answer = call();
	} catch (error) {
		return assert.fail(`${note}threw ${error} instead of returning a promise that rejects`);
	}
	let error: unknown;
	try {
		await answer;
	} catch (caught) {
		error = caught;
	}
	const wanted = codes.join(" or ");
	if (error === undefined) return assert.fail(`${note}${wanted} was expected, but the call succeeded`);
	if (!isNighError(error)) return assert.fail(`${note}${wanted} was expected, but no NighError came: ${error}`);
	assert.ok(ERROR_CODES.includes(error.code), `${note}${error.code} is not a code of the contract`);
	assert.ok(codes.includes(error.code), `${note}${wanted} was expected, but ${error.code} came: ${error.message}`);
	assert.ok(typeof error.message === "string" && error.message.length > 10, `${note}the message says nothing`);
	assert.ok(typeof error.details === "object" && error.details !== null, `${note}the error has no details`);
	// Details must be able to cross to another thread.
	structuredClone(error.details);
	return error;
}
