import { readFileSync } from "node:fs";

/**
 * The most bytes that this process has had resident. Where Linux tells it of the address space, that: what `resourceUsage` has there begins with
 * what the process was that started this one.
 */
export function peakResident(): number {
	const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(ownFile("/proc/self/status"))?.[1];
	return 1_024 * (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes));
}

/** Bytes that this process has had read from disks so far, the system's reading ahead included; `undefined` where the system does not tell. */
export function bytesFromDisk(): number | undefined {
	const bytes = /^read_bytes: (\d+)$/m.exec(ownFile("/proc/self/io"))?.[1];
	return bytes === undefined ? undefined : Number(bytes);
}

function ownFile(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
}
