import type { Bound } from "@nigh/contract";

const MIB = 1024 * 1024;

/** A bound of an option that has a default. */
export type DefaultedBound = Bound & { readonly default: number };

/** How many rows to read. Left out: all. */
export const LIMIT = { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true, default: Number.MAX_SAFE_INTEGER } as const;

/** Bytes of values (for JSONL: also bytes of lines) in a batch. */
export const BATCH_BYTES = { min: 1, max: 256 * MIB, integer: true, default: MIB, unit: "bytes" } as const;

/** Bytes of values that an npy file in Fortran order may need at once. */
export const MAX_BYTES = { min: 1, max: 16_384 * MIB, integer: true, default: 1024 * MIB, unit: "bytes" } as const;

/** Bytes of one JSONL line. */
export const MAX_LINE_BYTES = { min: 1, max: 256 * MIB, integer: true, default: 16 * MIB, unit: "bytes" } as const;

/** Rows that a writer of npy is told to expect. Left out: they are gathered and counted. */
export const COUNT = { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true, unit: "records" } as const;

/** Bytes of an npy header: what version 1.0 can state; NumPy itself reads 10,000 unless told otherwise. */
export const MAX_NPY_HEADER_BYTES = 65_535;

/** Bytes that a writer gathers before it gives a chunk away; one row at least. */
export const WRITE_CHUNK_BYTES = 256 * 1024;
