import type { CertifiedCell, FilterNode } from "@nigh/contract";
import type { GenerationHandle } from "../memory/generation.ts";
import type { ReaderArea } from "../memory/reader-area.ts";
import type { Audit, DrawnQuery, SampledQuery } from "../recall/queries.ts";
import type { ServedTable } from "../recall/served.ts";
import type { FailureCode } from "../watch/events.ts";

/** The number of the examiner among the readers of a generation. */
export const EXAMINER = 2;

/** What of a collection's spec matters to its recall. */
export interface ExaminedSpec {
	readonly recall: number;
	readonly logQueries: boolean;
}

/** A collection that is to be examined, or its next generation. */
export interface Attachment {
	readonly key: number;
	readonly name: string;
	readonly spec: ExaminedSpec;
	readonly generation: GenerationHandle;
	readonly area: ReaderArea;
}

/** Vectors that an index has not taken in, to ask it by. */
export interface HeldOutRequest {
	readonly key: number;
	readonly name: string;
	readonly spec: ExaminedSpec;
	/** Of the index, which may not serve yet. */
	readonly generation: GenerationHandle;
	readonly area: ReaderArea;
	/** Slots of the vectors, in the order in which they are to ask. */
	readonly slots: Uint32Array;
	/** The memory of a `Task`: its abort word ends the work. */
	readonly task: Int32Array;
}

export interface CertifyRequest {
	readonly key: number;
	/** Of the grid; `undefined`: those that there are. */
	readonly target: number | undefined;
	readonly k: number | undefined;
	readonly confidence: number;
	readonly familyWise: boolean;
	readonly queries: readonly (Float32Array | Uint8Array)[];
	readonly node: FilterNode | undefined;
	readonly maxQueries: number;
	readonly maxMs: number;
	readonly now: number;
	readonly task: Int32Array;
}

export interface CertifyReply {
	readonly cells: readonly CertifiedCell[];
	readonly isComplete: boolean;
}

/** What the examiner does for the thread that calls. */
export type ExaminerMethods = {
	/** A collection, or its next generation, is to be examined from now on. */
	attach(attachment: Attachment): void;
	/** It is closed: what was found out is written down. */
	detach(key: number): Promise<void>;
	/** It is gone, and what was found out with it. */
	drop(key: number): Promise<void>;
	respec(request: { readonly key: number; readonly spec: ExaminedSpec }): void;
	queries(request: { readonly key: number; readonly queries: readonly DrawnQuery[]; readonly now: number }): void;
	audit(request: { readonly key: number; readonly audit: Audit; readonly now: number }): void;
	certify(request: CertifyRequest): Promise<CertifyReply>;
	heldOut(request: HeldOutRequest): Promise<void>;
	/** What the tuner has learned, to be written down. */
	tuned(request: { readonly key: number; readonly state: unknown }): void;
	/** Some of the queries of each cell, to measure times by. */
	sample(request: { readonly key: number; readonly most: number }): readonly SampledQuery[];
};

/** What the examiner says without being asked. */
export type ExaminerNotes = {
	served(table: ServedTable): void;
	certified(event: { key: number; durationMs: number; cells: number; certified: number; queries: number }): void;
	audited(event: { key: number; durationMs: number; recall: number; target: number; alarmed: boolean }): void;
	/** A certification or an audit could not be done. */
	failed(event: { key: number; event: "nigh:certify" | "nigh:audit"; durationMs: number; error: FailureCode }): void;
};
