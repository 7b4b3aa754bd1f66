/**
 * Nanoseconds that this process has been running: unlike the time of day it stands still while another process has the core. It is
 * fine to a microsecond on Linux only as that of the whole process (that of one thread moves in ticks of some milliseconds), and
 * Windows counts in ticks of 15 ms: there it is the time of day.
 */
export const processNanoseconds: () => number =
	process.platform === "win32"
		? () => performance.now() * 1e6
		: () => {
				const { user, system } = process.cpuUsage();
				return (user + system) * 1e3;
			};
