import { cpus, totalmem } from "node:os";

/** Where a run was measured. */
export interface Machine {
	/** The processor's own name; `"unknown"` where the system does not tell. */
	readonly cpu: string;
	/** Logical cores of the machine, of which an engine gets one. */
	readonly cores: number;
	readonly memoryGiB: number;
	/** Operating system and instruction set, as Node names them. */
	readonly platform: string;
	readonly node: string;
	readonly v8: string;
}

export function thisMachine(): Machine {
	const cores = cpus();
	return {
		cpu: cores[0]?.model.replace(/\s+/g, " ").trim() || "unknown",
		// Not availableParallelism(), which counts what this process may use: a pinned run would name a smaller machine.
		cores: cores.length,
		memoryGiB: Math.round(totalmem() / 2 ** 30),
		platform: `${process.platform} ${process.arch}`,
		node: process.version.replace(/^v/, ""),
		v8: process.versions.v8,
	};
}

/** One line, as in `AMD EPYC 7R13, 2 cores, 24 GiB, linux x64; Node 24.21.0, V8 13.6`. */
export function machineLine({ cpu, cores, memoryGiB, platform, node, v8 }: Machine): string {
	return `${cpu}, ${cores} ${cores === 1 ? "core" : "cores"}, ${memoryGiB} GiB, ${platform}; Node ${node}, V8 ${v8}`;
}
