import type { KernelName } from "@nigh/kernels";
import type { Content, Workbench } from "./workbench.ts";

/**
 * Where the bytes are: `cache`, a working set of 256 KiB gone over again and again; `memory`, a far larger one from its start to its
 * end; `random`, rows of the larger one in random order.
 */
export type Place = "cache" | "memory" | "random";

export const CACHE_BYTES = 256 * 1024;

/** One thing to measure. */
export interface KernelCase {
	readonly kernel: KernelName;
	/** What tells it from other cases of the kernel: metric, form, k. May be empty. */
	readonly variant: string;
	/** What the nanoseconds are for. */
	readonly unit: "row" | "key" | "pair" | "KiB";
	readonly content: Content;
	readonly places: readonly Place[];
	open(bench: Workbench, dimensions: number, place: Place): OpenCase;
}

/** A case with its arguments in the arena. Items are rows, or whatever else the region is divided into. */
export interface OpenCase {
	/** Items in the working set. */
	readonly items: number;
	/** The most items a run may be given; default all. */
	readonly mostItems?: number;
	/** Bytes that the kernel must read of the working set for an item, what lies in between not counted. */
	readonly bytesPerItem: number;
	/** Bytes that the read loop reads for an item; default the same. More where what lies in between is read as well. */
	readonly readBytesPerItem?: number;
	/** How many of `unit` an item gives; default 1. */
	readonly unitsPerItem?: number;
	/** Called before every timed run, outside of the time. */
	before?(from: number, count: number): void;
	/** The kernel over items `from` to `from + count`. */
	run(from: number, count: number): void;
	/** The read loop over the same items. */
	read(from: number, count: number): void;
}

/** Whether a case is the same whatever the dimensions are. */
export function ignoresDimensions({ content, kernel }: KernelCase): boolean {
	return kernel === "topk" || kernel === "checksum" || content === "cells";
}

/** The bytes of the working set of a place. */
export function workingSet(bench: Workbench, place: Place): number {
	return place === "cache" ? Math.min(CACHE_BYTES, bench.bytes) : bench.bytes;
}
