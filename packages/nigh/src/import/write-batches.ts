import { type Collection, type Id, isNighError, type RecordInput } from "@nigh/contract";
import type { RowBatch } from "./row-batches.ts";

/** Batches that are under way at a time: one is read, one packed, one written. */
const IN_FLIGHT = 3;

interface Flight {
	readonly batch: RowBatch;
	readonly ids: ReadonlySet<Id> | undefined;
	readonly acknowledged: Promise<{ readonly changeNumber: number }>;
}

/** Told after each write, in the order of the rows: all before `rows` are on disk. */
export type OnAcknowledged = (progress: {
	/** Rows of the file that are written, those that were passed over included. */
	readonly rows: number;
	readonly bytesRead: number;
	readonly changeNumber: number;
	readonly lastId: Id;
}) => void;

/** A row that the collection refuses. */
export class RefusedRow extends Error {
	/** In the file, counted from 0. */
	readonly row: number;

	constructor(row: number, cause: unknown) {
		super(`row ${row} is refused`, { cause });
		this.row = row;
	}
}

/**
 * Writes batches, a few at a time so that reading, packing and writing overlap. Whatever ends it, the rows before are written.
 *
 * @throws RefusedRow for a row that the collection does not take; what else the batches and `upsert` throw.
 */
export async function writeBatches(
	collection: Pick<Collection, "upsert">,
	batches: AsyncIterable<RowBatch>,
	onAcknowledged: OnAcknowledged,
): Promise<void> {
	const flights: Flight[] = [];
	const land = () => landed(collection, flights, onAcknowledged);
	try {
		for await (const batch of batches) {
			const ids = batch.idsAreRows ? undefined : new Set(batch.records.map(({ id }) => id));
			// Of an id that comes twice the later row stays, also where the two are in different batches.
			if (sharesIds(ids, flights)) while (flights.length > 0) await land();
			const acknowledged = collection.upsert(batch.records);
			// It is looked at when its turn comes.
			acknowledged.catch(() => undefined);
			flights.push({ batch, ids, acknowledged });
			while (flights.length >= IN_FLIGHT) await land();
		}
	} catch (error) {
		if (error instanceof RefusedRow) throw error;
		while (flights.length > 0) await land();
		throw error;
	}
	while (flights.length > 0) await land();
}

async function landed(
	collection: Pick<Collection, "upsert">,
	flights: Flight[],
	onAcknowledged: OnAcknowledged,
): Promise<void> {
	const { batch, acknowledged } = flights.shift() as Flight;
	const { row, records, bytesRead } = batch;
	try {
		const { changeNumber } = await acknowledged;
		tell(onAcknowledged, records, row, bytesRead, changeNumber);
	} catch (error) {
		await Promise.allSettled(flights.splice(0).map(({ acknowledged: other }) => other));
		const place = isNighError(error) ? error.details.row : undefined;
		if (typeof place !== "number") throw error;
		// A batch is written as a whole or not at all, but what stands before the bad row is to be kept.
		const good = records.slice(0, place);
		if (good.length > 0) {
			const { changeNumber } = await collection.upsert(good);
			tell(onAcknowledged, good, row, bytesRead, changeNumber);
		}
		throw new RefusedRow(row + place, error);
	}
}

function tell(
	onAcknowledged: OnAcknowledged,
	records: readonly RecordInput[],
	row: number,
	bytesRead: number,
	changeNumber: number,
): void {
	const { id: lastId } = records.at(-1) as RecordInput;
	onAcknowledged({ rows: row + records.length, bytesRead, changeNumber, lastId });
}

function sharesIds(ids: ReadonlySet<Id> | undefined, flights: readonly Flight[]): boolean {
	return (
		ids !== undefined &&
		flights.some((flight) => flight.ids === undefined || [...ids].some((id) => flight.ids?.has(id)))
	);
}
