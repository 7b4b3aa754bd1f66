import { backupCases } from "./backup.ts";
import { collectionsCases } from "./collections.ts";
import { countCases } from "./count.ts";
import { deleteCases } from "./delete.ts";
import { everyVerbCases } from "./every-verb.ts";
import { expiryCases } from "./expiry.ts";
import { getCases } from "./get.ts";
import { healthCases } from "./health.ts";
import { lifeCases } from "./life.ts";
import { limitsCases } from "./limits.ts";
import { maintenanceCases } from "./maintenance.ts";
import { pruneCases } from "./prune.ts";
import { scanCases } from "./scan.ts";
import { searchCases } from "./search.ts";
import { searchFilteredCases } from "./search-filtered.ts";
import { searchHybridCases } from "./search-hybrid.ts";
import { searchManyCases } from "./search-many.ts";
import { searchMetricsCases } from "./search-metrics.ts";
import { searchWidthCases } from "./search-width.ts";
import { type Cases, runCase } from "./setting.ts";
import { storageCases } from "./storage.ts";
import type { Suite } from "./suite.ts";
import { updateCases } from "./update.ts";
import { upsertCases } from "./upsert.ts";
import { wrongInputCases } from "./wrong-input.ts";

// The oracle, for tests of a back end's own.
export { checkApproximateAnswer, checkExactAnswer } from "./answers.ts";
export { collect, Model, type ModelRecord, plain } from "./model.ts";
export { measure, type Ranked, rank, type Space } from "./oracle.ts";
export { createRandom, type Random } from "./random.ts";
export type { Assert, Opened, OpenOptions, Suite, Test } from "./suite.ts";

const CASES: Readonly<Record<string, Cases>> = {
	collections: collectionsCases,
	upsert: upsertCases,
	update: updateCases,
	get: getCases,
	delete: deleteCases,
	count: countCases,
	scan: scanCases,
	search: searchCases,
	"search, metrics": searchMetricsCases,
	"search, widths": searchWidthCases,
	"search, filtered": searchFilteredCases,
	"search, hybrid": searchHybridCases,
	searchMany: searchManyCases,
	prune: pruneCases,
	expiry: expiryCases,
	limits: limitsCases,
	"wrong input": wrongInputCases,
	"every verb": everyVerbCases,
	health: healthCases,
	maintenance: maintenanceCases,
	storage: storageCases,
	backup: backupCases,
	"life of a collection": lifeCases,
};

/**
 * What every back end must do: one test for each promise of the contract, against exact answers computed beside it. What the manifest of
 * the back end (`database.capabilities`) does not list has to be `UNSUPPORTED`. Each test opens a database of its own.
 *
 * @example
 * contractSuite({ test, assert, open: async ({ now } = {}) => {
 *   const database = await openSomewhere({ now });
 *   return { database, close: () => database.close() };
 * } });
 */
export function contractSuite(suite: Suite): void {
	for (const [verb, cases] of Object.entries(CASES)) {
		for (const [promise, run] of Object.entries(cases)) suite.test(`${verb}: ${promise}`, () => runCase(suite, run));
	}
}
