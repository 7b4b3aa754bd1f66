import { read } from "node:fs";
import { NighError } from "@nigh/contract";
import { asReadError, type OpenRowFile } from "./open.ts";

/** What is read of a file. */
export interface FilePart {
	readonly file: OpenRowFile;
	readonly bytes: number;
	/** In the file. */
	readonly offset: number;
	/** What it means that the file ends after so many bytes. */
	readonly ended: (bytes: number) => Error;
}

/** It and where it goes. */
export interface FileRead extends FilePart {
	/** Where the bytes go; `undefined`: to a memory of their own, which `spread` is given. */
	readonly into: Uint8Array | undefined;
	/** In `into`. */
	readonly at: number;
	readonly spread?: (bytes: Uint8Array) => void;
}

/**
 * Reads in flight at a time. The threads that do them are four by default: with few in hand they run dry between two turns of the event loop,
 * and beyond this number nothing was left to win.
 */
const IN_FLIGHT = 32;

/**
 * Does all reads, beginning with the first. After a failure, or when the signal says so, no other is begun; the promise settles when none is
 * in flight, so that the memory they write to is the caller's again.
 *
 * @throws The first failure as NighError; `ABORTED`.
 */
export function readInFlight(reads: readonly FileRead[], signal: AbortSignal | undefined): Promise<void> {
	if (signal?.aborted) return Promise.reject(aborted(signal));
	if (reads.length === 0) return Promise.resolve();
	return new Promise((resolve, reject) => {
		let next = 0;
		let inFlight = 0;
		let failure: { readonly error: unknown } | undefined;
		const goOn = (error?: unknown) => {
			inFlight--;
			if (error !== undefined) failure ??= { error };
			if (signal?.aborted) failure ??= { error: aborted(signal) };
			if (failure === undefined && next < reads.length) begin();
			else if (inFlight === 0) settle();
		};
		const begin = () => {
			inFlight++;
			readOne(reads[next++] as FileRead, goOn);
		};
		const settle = () => (failure === undefined ? resolve() : reject(failure.error));
		while (next < reads.length && inFlight < IN_FLIGHT && failure === undefined) begin();
	});
}

/** A read may give less than was asked for. */
function readOne(one: FileRead, done: (error?: unknown) => void): void {
	const { file, bytes, offset, at } = one;
	const into = one.into ?? new Uint8Array(bytes);
	const readFrom = (got: number) => {
		read(file.descriptor, into, at + got, bytes - got, offset + got, (error, count) => {
			if (error !== null) return done(asReadError(error, file.path, offset + got));
			if (count === 0) return done(one.ended(got));
			attempt(() => (got + count < bytes ? readFrom(got + count) : finish()), done);
		});
	};
	const finish = () => {
		one.spread?.(into);
		done();
	};
	attempt(() => readFrom(0), done);
}

/** Memory that was taken away meanwhile makes calls throw, here where nobody else would catch it. */
function attempt(step: () => void, failed: (error: unknown) => void): void {
	try {
		step();
	} catch (error) {
		failed(error);
	}
}

function aborted(signal: AbortSignal): NighError {
	const message = "Reading rows was ended by its AbortSignal before it was done.";
	return new NighError("ABORTED", message, {}, { cause: signal.reason });
}
