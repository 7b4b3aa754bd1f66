// What the adapters use of their peers. TypeScript takes these before the packages' own types, so that `npm run check` says the same
// whether or not the peers are installed; which they are only where somebody ran `npm run bench:setup`.

declare module "usearch" {
	export type MetricName = "cos" | "l2sq";
	export type ScalarName = "f32" | "f16" | "i8";

	export class Index {
		constructor(config: {
			readonly dimensions: number;
			readonly metric: MetricName;
			readonly quantization: ScalarName;
			readonly connectivity: number;
			readonly expansion_add: number;
			readonly expansion_search: number;
			readonly multi: boolean;
		});
		add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
		search(vector: Float32Array, k: number, threads: number): { readonly keys: BigUint64Array };
		save(path: string): void;
		load(path: string): void;
	}
}

declare module "hnswlib-node" {
	class HierarchicalNSW {
		constructor(space: "l2" | "cosine", dimensions: number);
		initIndex(options: { readonly maxElements: number; readonly m: number; readonly efConstruction: number }): void;
		addPoint(point: number[], label: number): void;
		searchKnn(query: number[], k: number): { readonly neighbors: number[] };
		setEf(ef: number): void;
		writeIndexSync(path: string): void;
	}
	// A CommonJS module: Node sees none of its names from outside, only the whole.
	const hnswlib: { readonly HierarchicalNSW: typeof HierarchicalNSW };
	export = hnswlib;
}

declare module "sqlite-vec" {
	export function getLoadablePath(): string;
}

declare module "apache-arrow" {
	export class Float32 {}
	export class Int32 {}
	export class Field {
		constructor(name: string, type: object, nullable: boolean);
	}
	export class FixedSizeList {
		constructor(size: number, item: Field);
	}
	export function makeData(options: {
		readonly type: object;
		readonly length?: number;
		readonly nullCount?: number;
		readonly data?: Float32Array | Int32Array;
		readonly child?: object;
	}): object;
	export function makeVector(data: object): object;
	export class Table {
		constructor(columns: Readonly<Record<string, object>>);
	}
}

declare module "@lancedb/lancedb" {
	import type { Table as ArrowTable } from "apache-arrow";

	interface IndexKind {
		readonly hnswSq: (options: {
			readonly distanceType: "l2" | "cosine";
			readonly numPartitions: number;
			readonly m: number;
			readonly efConstruction: number;
		}) => object;
		readonly ivfPq: (options: {
			readonly distanceType: "l2" | "cosine";
			readonly numPartitions: number;
			readonly numSubVectors: number;
		}) => object;
		readonly btree: () => object;
	}
	export const Index: IndexKind;
	interface VectorQuery {
		distanceType(name: "l2" | "cosine"): VectorQuery;
		ef(ef: number): VectorQuery;
		nprobes(nprobes: number): VectorQuery;
		refineFactor(factor: number): VectorQuery;
		where(predicate: string): VectorQuery;
		select(columns: readonly string[]): VectorQuery;
		limit(k: number): VectorQuery;
		toArrow(): Promise<{ getChild(column: string): { toArray(): Int32Array } | null }>;
	}
	export interface Table {
		createIndex(column: string, options: { readonly config: object }): Promise<void>;
		vectorSearch(vector: Float32Array): VectorQuery;
	}
	export function connect(folder: string): Promise<{ createTable(name: string, data: ArrowTable): Promise<Table> }>;
}

declare module "@electric-sql/pglite-pgvector" {
	export const vector: object;
}

declare module "@electric-sql/pglite" {
	export class PGlite {
		static create(options: { readonly extensions: Readonly<Record<string, object>> }): Promise<PGlite>;
		exec(statements: string): Promise<unknown>;
		query<Row>(
			statement: string,
			parameters?: readonly unknown[],
			options?: { readonly blob?: Blob },
		): Promise<{ readonly rows: Row[] }>;
		close(): Promise<void>;
	}
}

declare module "edgevec" {
	export class EdgeVecConfig {
		constructor(dimensions: number);
		metric: string;
		m: number;
		m0: number;
		ef_search: number;
		ef_construction: number;
	}
	export class EdgeVec {
		constructor(config: EdgeVecConfig);
		insert(vector: Float32Array): number;
		search(query: Float32Array, k: number): { readonly id: number; readonly score: number }[];
		memoryUsage(): number;
	}
	export function initSync(options: { readonly module: Uint8Array }): unknown;
}
